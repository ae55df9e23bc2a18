#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chainrule::io::tokens {

/// One document of the stream. Its tokens, the end-of-text that follows it included, are stream tokens
/// [first_token, first_token + tokens).
struct DocumentRecord {
  std::uint64_t first_token = 0;  ///< stream position of its first token
  std::uint64_t tokens = 0;       ///< end-of-text included, so at least 1
  std::uint64_t bytes = 0;        ///< UTF-8 bytes of the original text
  std::uint64_t words = 0;        ///< pieces between runs of white space
  std::uint16_t domain = 0;       ///< index into DataSet::domains()
};

/// Where a document's original lies, for reports: file (as given to pack) and, in a JSONL file, its line from 1.
struct DocumentSource {
  std::string file;
  std::uint64_t line = 0;
};

/// A packed data set on disk: `index.json`, token shards and `tokenizer.json`. The stream is the shards in index
/// order. Reading from several threads at once is safe (HDF5 calls take turns behind one lock).
class DataSet {
 public:
  /// Opens the index and checks sizes and attributes of the shards against it. Throws Error: missing_input when the
  /// folder or a file is absent, bad_data when one is not what the index says.
  static DataSet open(const std::filesystem::path& folder);

  DataSet(DataSet&&) noexcept;
  DataSet& operator=(DataSet&&) noexcept;
  ~DataSet();

  const std::filesystem::path& folder() const;
  std::filesystem::path tokenizer_path() const;  ///< the set's own copy of tokenizer.json
  std::uint64_t token_count() const;             ///< end-of-text tokens included
  std::uint64_t document_count() const;
  std::uint32_t vocabulary_size() const;
  std::uint32_t end_of_text() const;
  const std::string& tokenizer_fingerprint() const;
  const std::string& fingerprint() const;           ///< of the whole set, from its index
  const std::vector<std::string>& domains() const;  ///< union over shards, in index order

  /// Re-hashes shard's file and compares with the index. Throws Error bad_data on a difference.
  void verify_shard(std::size_t shard) const;
  std::size_t shard_count() const;

  /// Every document in stream order; verified (offsets rise, lengths add up).
  std::vector<DocumentRecord> documents() const;
  /// Where each document of documents() comes from, in the same order.
  std::vector<DocumentSource> sources() const;

  /// Reads stream tokens [first, first + tokens.size()), across shards where needed. Every id is checked to be below
  /// vocabulary_size(). Throws Error (bad_data with shard and offset; input_output).
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const;

 private:
  struct State;
  explicit DataSet(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chainrule::io::tokens
