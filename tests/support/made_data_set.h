#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace chainrule::tests {

/// A document of a data set made for a test; its tokens without the end-of-text, which is added.
struct MadeDocument {
  std::vector<std::uint32_t> tokens;
  std::string domain = "default";
  std::uint64_t bytes = 0;  ///< 0: one a token
  std::uint64_t words = 1;
  std::string file = "made.txt";
  std::uint64_t line = 0;
};

struct MadeDataSet {
  std::uint32_t vocabulary_size = 100;
  std::uint32_t end_of_text = 99;
  std::string tokenizer_fingerprint = "0123456789abcdef0123456789abcdef";
  std::string tokenizer_json = "{}";
  int deflate = 0;
  std::vector<std::vector<MadeDocument>> shards;  ///< a shard may be empty
};

/// Writes set to folder (made where absent): shards, tokenizer.json and index.json, as pack would.
void write_data_set(const std::filesystem::path& folder, const MadeDataSet& set);

}  // namespace chainrule::tests
