#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/tokens/foreign/token_type.h"

namespace chainrule::io::tokens::foreign {

/// 256 int32: magic, version, number of tokens, zeros. Magic 20240520 with version 1 has u16 tokens (GPT-2), 20240801
/// with version 7 u32 (Llama 3). Source: llm.c, dev/data/data_common.py.
inline constexpr std::size_t kLlmcHeaderBytes = 1024;

struct LlmcHeader {
  TokenType type;
  std::uint64_t tokens = 0;
};

/// Whether a file that begins with these bytes says that it is one of llm.c's token files. Other files of llm.c's
/// (models, HellaSwag) say other things.
bool begins_as_llmc(std::span<const std::byte> begin);

/// The header of a file of file_bytes, of which begin is the first kLlmcHeaderBytes, or all where it is shorter. Throws
/// Error bad_data, without the file's name, for another version and where the file is shorter or longer than it says.
LlmcHeader parse_llmc_header(std::span<const std::byte> begin, std::uint64_t file_bytes);

/// What parse_llmc_header() reads. tokens: below 2^31; type: u16 or u32.
std::string llmc_header_bytes(const LlmcHeader& header);

}  // namespace chainrule::io::tokens::foreign
