#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokens/format.h"

namespace chainrule::io::tokens {

/// A shard as the index knows it.
struct ShardEntry {
  std::string file;  ///< its name in the folder
  std::uint64_t tokens = 0;
  std::uint64_t documents = 0;
  std::uint64_t file_bytes = 0;
  std::string digest;  ///< XXH3-128 of the file
};

/// What a domain holds of a data set.
struct DomainEntry {
  std::string name;
  std::uint64_t documents = 0;
  std::uint64_t tokens = 0;  ///< end-of-text tokens included
  std::uint64_t bytes = 0;   ///< UTF-8 bytes of the original texts
  std::uint64_t words = 0;
};

/// The content of a data set's `index.json`.
struct DataSetIndex {
  ShardHeader header;
  std::uint32_t start_token = 0;     ///< what its tokenizer says texts are read behind; stated where not end-of-text
  std::string tokenizer_digest;      ///< XXH3-128 of the folder's tokenizer.json
  std::vector<DomainEntry> domains;  ///< in order of first appearance in the stream
  std::vector<ShardEntry> shards;    ///< in stream order

  std::uint64_t token_count() const;
  std::uint64_t document_count() const;
  std::uint64_t text_bytes() const;

  /// XXH3-128 of everything else in the index, and so of the whole set.
  std::string fingerprint() const;
  /// The text of index.json, fingerprint included; equal indexes give equal text.
  std::string to_json() const;

  /// Reads folder/index.json. Throws Error: missing_input, bad_data for anything that is not such an index or does not
  /// have the fingerprint it states.
  static DataSetIndex load(const std::filesystem::path& folder);
  /// The index that a text holds; path is what messages name. Throws Error bad_data as load does.
  static DataSetIndex parse(std::string_view text, const std::filesystem::path& path);
};

}  // namespace chainrule::io::tokens
