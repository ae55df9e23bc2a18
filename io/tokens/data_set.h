#pragma once
#include "io/tokens/token_stream.h"

namespace chainrule::io::tokens {

/// A packed data set on disk: `index.json`, token shards and `tokenizer.json`. The stream is the shards in index
/// order. HDF5 calls of several threads take turns behind one lock.
class DataSet final : public TokenStream {
 public:
  /// Opens the index and checks sizes and attributes of the shards against it. Throws Error: missing_input when the
  /// folder or a file is absent, bad_data when one is not what the index says.
  static DataSet open(const std::filesystem::path& folder);

  DataSet(DataSet&&) noexcept;
  DataSet& operator=(DataSet&&) noexcept;
  ~DataSet() override;

  const std::filesystem::path& path() const override;  ///< its folder
  std::filesystem::path tokenizer_path() const;        ///< the set's own copy of tokenizer.json
  std::string tokenizer_json() const override;
  std::uint64_t token_count() const override;
  std::uint64_t document_count() const override;
  std::uint32_t vocabulary_size() const override;
  std::uint32_t end_of_text() const override;
  std::uint32_t start_token() const override;
  const std::string& tokenizer_fingerprint() const override;
  const std::string& fingerprint() const override;           ///< of the whole set, from its index
  const std::vector<std::string>& domains() const override;  ///< union over shards, in index order

  /// Re-hashes shard's file and compares with the index.
  void verify_shard(std::size_t shard) const override;
  std::size_t shard_count() const override;

  void read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const override;
  void read_sources(std::uint64_t first, std::span<DocumentSource> sources) const override;
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const override;

 private:
  struct State;
  explicit DataSet(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chainrule::io::tokens
