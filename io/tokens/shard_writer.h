#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "io/hdf5/file.h"
#include "io/tokens/format.h"

namespace chainrule::io::tokens {

/// Writes one token shard. Equal content makes equal bytes, however append() is cut. Throws Error (cannot_create,
/// input_output).
class ShardWriter {
 public:
  /// token_count: of the whole shard. deflate: 0 none, else 1 to 9.
  ShardWriter(const std::filesystem::path& path, const ShardHeader& header, std::uint64_t token_count, int deflate);

  /// The next tokens of the stream. Throws Error bad_data for an id outside the vocabulary.
  void append(std::span<const std::uint32_t> tokens);

  /// Writes the documents, closes the file and syncs it; the tokens appended are token_count, and documents.offsets
  /// ends there.
  void finish(const ShardDocuments& documents, const ShardSources& sources);

 private:
  void flush();

  hdf5::File file_;
  hdf5::Dataset tokens_;  ///< let go by finish()
  ShardHeader header_;
  std::uint64_t token_count_;
  hdf5::DatasetLayout layout_;
  std::uint64_t written_ = 0;
  std::vector<std::uint32_t> pending_;
  std::vector<std::uint16_t> narrow_;
};

}  // namespace chainrule::io::tokens
