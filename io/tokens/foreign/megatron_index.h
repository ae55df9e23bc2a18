#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/tokens/foreign/token_type.h"

namespace chainrule::io::tokens::foreign {

/// What a Megatron .idx says of the .bin beside it. Source: Megatron-LM, megatron/core/datasets/indexed_dataset.py.
struct MegatronIndex {
  TokenType type;
  std::vector<std::uint64_t> documents;  ///< [documents + 1] first token of each in the .bin, then the token count

  std::uint64_t tokens() const { return documents.back(); }
};

/// Whether a file that begins with these bytes is a Megatron index.
bool begins_as_megatron(std::span<const std::byte> begin);

/// Parses a whole .idx: "MMIDIDX", 2 zeros; u64 version 1; u8 type; u64 sequences; u64 document indices; i32 length and
/// i64 byte offset of each sequence; the sequences with which documents begin, and their number. data_bytes: of the
/// .bin. Sequences must lie side by side and fill it; a document of no sequence is an empty one. Throws Error bad_data,
/// without the file's name, where anything else is there.
MegatronIndex parse_megatron_index(std::span<const std::byte> index, std::uint64_t data_bytes);

/// An index of one sequence for each document, as parse_megatron_index() reads it; type is u16 or i32.
std::string megatron_index_bytes(const MegatronIndex& index);

}  // namespace chainrule::io::tokens::foreign
