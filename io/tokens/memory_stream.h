#pragma once
#include "io/tokens/token_stream.h"
#include "io/tokens/vocabulary.h"

namespace chainrule::io::tokens {

/// A stream whose tokens lie in memory: of a text that was typed, or made up. It has no files, so no fingerprints and
/// nothing to verify.
class MemoryStream : public TokenStream {
 public:
  explicit MemoryStream(const Vocabulary& vocabulary, std::vector<std::string> domains = {"default"});

  /// Appends a document of these tokens, to which its end-of-text is added. Of record, bytes, words and domain count.
  void append(std::span<const std::uint32_t> tokens, const DocumentRecord& record = {}, DocumentSource source = {});

  const std::filesystem::path& path() const override { return nowhere_; }
  std::string tokenizer_json() const override { return {}; }
  std::uint64_t token_count() const override { return tokens_.size(); }
  std::uint64_t document_count() const override { return documents_.size(); }
  std::uint32_t vocabulary_size() const override { return vocabulary_.size; }
  std::uint32_t end_of_text() const override { return vocabulary_.end_of_text; }
  std::uint32_t start_token() const override { return vocabulary_.start_token; }
  const std::string& tokenizer_fingerprint() const override { return no_fingerprint_; }
  const std::string& fingerprint() const override { return no_fingerprint_; }
  const std::vector<std::string>& domains() const override { return domains_; }
  std::size_t shard_count() const override { return 0; }
  void verify_shard(std::size_t) const override {}
  void read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const override;
  void read_sources(std::uint64_t first, std::span<DocumentSource> sources) const override;
  /// All of them.
  const std::vector<DocumentRecord>& documents() const { return documents_; }
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const override;

 private:
  Vocabulary vocabulary_;
  std::vector<std::string> domains_;
  std::filesystem::path nowhere_;
  std::string no_fingerprint_;
  std::vector<std::uint32_t> tokens_;
  std::vector<DocumentRecord> documents_;
  std::vector<DocumentSource> sources_;
};

}  // namespace chainrule::io::tokens
