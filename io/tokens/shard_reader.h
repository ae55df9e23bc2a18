#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/dataset.h"
#include "io/hdf5/file.h"
#include "io/tokens/format.h"

namespace chainrule::io::tokens {

/// Reads one token shard. It keeps the file open; calls from several threads take turns. Every failure names the shard,
/// the dataset and the place in it.
class ShardReader {
 public:
  /// Checks format, attributes, and types and sizes of the datasets. Throws Error (missing_input, bad_data).
  explicit ShardReader(const std::filesystem::path& path);

  const ShardHeader& header() const { return header_; }
  std::uint64_t token_count() const { return token_count_; }
  std::uint64_t document_count() const { return document_count_; }

  /// Documents [first, first + count), and where the last one ends. Verified: offsets rise, from 0 in the first
  /// document to the token count in the last; domains are in their table. Throws Error bad_data.
  ShardDocuments documents(std::uint64_t first, std::uint64_t count) const;
  /// Verified: sources are in their table. Throws Error bad_data.
  ShardSources sources(std::uint64_t first, std::uint64_t count) const;

  /// Reads tokens [first, first + tokens.size()) and checks that each is inside the vocabulary. Throws Error (bad_data,
  /// input_output).
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const;

  /// Reads everything: documents, sources, every token, and an end-of-text where each document ends. Throws Error.
  void verify() const;

 private:
  [[noreturn]] void refuse(const std::string& what) const;
  hdf5::Dataset column(const hdf5::File& file, const char* name, std::uint64_t rows) const;
  void check_tokens(std::uint64_t first, std::span<const std::uint32_t> tokens) const;

  std::filesystem::path path_;
  ShardHeader header_;
  std::uint64_t token_count_ = 0;
  std::uint64_t document_count_ = 0;
  hdf5::Dataset tokens_;
  struct DocumentColumns {
    hdf5::Dataset offsets, bytes, words, domain, source, line;
    std::optional<hdf5::Dataset> text_hash;  ///< absent in shards of before it was kept
  };
  DocumentColumns columns_;
  std::vector<std::string> domains_;
};

}  // namespace chainrule::io::tokens
