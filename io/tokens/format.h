#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5/file.h"

/// The token shard and the data set on disk, format version 1.
namespace chainrule::io::tokens {

inline constexpr const char* kDataSetFormat = "chainrule data set";
inline constexpr std::uint64_t kFormatVersion = 1;
inline constexpr hdf5::FileFormat kShardFormat = {"chainrule token shard", kFormatVersion};

/// Tokens of a chunk; datasets of documents have chunks of as many at most.
inline constexpr std::uint64_t kChunkElements = 16'384;
/// Vocabularies up to this size are stored as u16, larger ones as u32.
inline constexpr std::uint32_t kLargestNarrowVocabulary = 65'536;

/// What every shard of a data set repeats in its root attributes.
struct ShardHeader {
  std::string tokenizer_fingerprint;
  std::uint32_t vocabulary_size = 0;
  std::uint32_t end_of_text = 0;

  bool operator==(const ShardHeader&) const = default;
};

/// The documents of a shard; D of them.
struct ShardDocuments {
  std::vector<std::uint64_t> offsets;  ///< [D + 1] first token of each, then the token count; rising
  std::vector<std::uint64_t> bytes;    ///< [D] of the original text
  std::vector<std::uint64_t> words;    ///< [D] see count_words
  /// [D] XXH3-64 of the original text, see text_hash; empty in shards of before it was kept
  std::vector<std::uint64_t> text_hash;
  std::vector<std::uint16_t> domain;  ///< [D] index into domains
  std::vector<std::string> domains;   ///< names, in order of first appearance in the shard
};

/// Where the documents of a shard come from; D of them.
struct ShardSources {
  std::vector<std::uint32_t> source;  ///< [D] index into sources
  std::vector<std::uint64_t> line;    ///< [D] from 1 in a JSONL file, of documents in a token file; else 0
  std::vector<std::string> sources;   ///< files as given to pack, in order of first appearance in the shard
};

}  // namespace chainrule::io::tokens
