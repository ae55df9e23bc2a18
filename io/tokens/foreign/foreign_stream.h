#pragma once
#include <memory>

#include "io/tokenizer/tokenizer.h"
#include "io/tokens/foreign/token_run.h"
#include "io/tokens/token_stream.h"

namespace chainrule::io::tokens::foreign {

/// Token files of another system, read in place. Their stream is the one that packing them gives (see TokenRun).
class ForeignStream final : public TokenStream {
 public:
  /// path: where they were found, for messages. Reads all of every file twice: for the fingerprint, which is a hash of
  /// the files' bytes and the tokenizer's fingerprint, and for the documents. Throws Error (missing_input, bad_data,
  /// input_output).
  ForeignStream(std::filesystem::path path, TokenShards shards, std::shared_ptr<const tokenizer::Tokenizer> tokenizer);

  const std::filesystem::path& path() const override { return path_; }
  std::string tokenizer_json() const override { return tokenizer_->to_json(); }
  std::uint64_t token_count() const override { return run_.token_count(); }
  std::uint64_t document_count() const override { return run_.document_count(); }
  std::uint32_t vocabulary_size() const override { return tokenizer_->vocabulary_size(); }
  std::uint32_t end_of_text() const override { return tokenizer_->end_of_text(); }
  std::uint32_t start_token() const override { return tokenizer_->start_token(); }
  const std::string& tokenizer_fingerprint() const override { return tokenizer_fingerprint_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  const std::vector<std::string>& domains() const override { return domains_; }

  std::size_t shard_count() const override { return digests_.size(); }
  /// Hashes the file, and an index beside it, again.
  void verify_shard(std::size_t shard) const override;

  /// Bytes and words are those of the decoded documents: their tokens are read and decoded.
  void read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const override;
  /// The file in which a document begins, and its number among those that do.
  void read_sources(std::uint64_t first, std::span<DocumentSource> sources) const override;
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const override { run_.read(first, tokens); }

 private:
  std::string digest_of(std::size_t shard) const;

  std::filesystem::path path_;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::string tokenizer_fingerprint_;
  TokenRun run_;
  std::vector<std::string> digests_;  ///< [files]
  std::string fingerprint_;
  std::vector<std::string> domains_ = {"default"};
};

/// The text of a document of run: its tokens without the end-of-text that follows, decoded. buffer: for its tokens,
/// which are left in it.
std::string decoded_document(const TokenRun& run, std::uint64_t document, const tokenizer::Tokenizer& tokenizer,
                             std::vector<std::uint32_t>& buffer);

}  // namespace chainrule::io::tokens::foreign
