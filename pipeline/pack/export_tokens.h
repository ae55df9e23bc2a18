#pragma once
#include <cstdint>
#include <filesystem>

#include "io/tokens/foreign/token_type.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pack {

struct ExportOptions {
  std::filesystem::path data;    ///< a data set
  std::filesystem::path output;  ///< made; may be there only as an empty folder
  io::tokens::foreign::Layout layout = io::tokens::foreign::Layout::llmc;  ///< or megatron
  std::uint64_t shard_tokens = 100'000'000;  ///< of an llm.c file, at most 2^31 - 1; Megatron has one file
};

struct Exported {
  std::size_t files = 0;
  std::uint64_t documents = 0;
  std::uint64_t tokens = 0;  ///< of the stream
};

/// Writes a data set as token files of another system, one rank alone: they appear at options.output in one rename,
/// after they were read back as the same documents. Domains, sources and counts of text do not go along. Throws
/// AgreedError. Collective.
Exported export_tokens(const comm::Communicator& communicator, const ExportOptions& options);

}  // namespace chainrule::pipeline::pack
