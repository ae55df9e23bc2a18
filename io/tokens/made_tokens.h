#pragma once
#include "io/files/digest.h"
#include "io/files/unnamed_file.h"
#include "io/tokens/token_stream.h"

namespace chainrule::io::tokens {

/// A stream that is written document by document and then read: see RemadeStream. data outlives it.
class MadeTokens final : public TokenStream {
 public:
  /// How its documents differ from data's.
  struct Kind {
    bool end_of_text = true;   ///< each document ends in one
    bool keeps_counts = true;  ///< documents have the bytes and words that they have in data
  };
  MadeTokens(const TokenStream& data, Kind kind);

  void append(std::span<const std::uint32_t> tokens);
  /// The next document of data ends at this token of the stream.
  void end_document(std::uint64_t token);
  /// All is written.
  void finish();

  const std::filesystem::path& path() const override { return data_.path(); }
  std::string tokenizer_json() const override { return data_.tokenizer_json(); }
  std::uint64_t token_count() const override { return tokens_.bytes() / sizeof(std::uint32_t); }
  std::uint64_t document_count() const override { return data_.document_count(); }
  std::uint32_t vocabulary_size() const override { return data_.vocabulary_size(); }
  std::uint32_t end_of_text() const override { return data_.end_of_text(); }
  bool has_end_of_text() const override { return kind_.end_of_text; }
  std::uint32_t start_token() const override { return data_.start_token(); }
  const std::string& tokenizer_fingerprint() const override { return data_.tokenizer_fingerprint(); }
  const std::string& fingerprint() const override { return fingerprint_; }
  const std::vector<std::string>& domains() const override { return data_.domains(); }
  std::size_t shard_count() const override { return 0; }
  void verify_shard(std::size_t) const override {}
  void read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const override;
  void read_sources(std::uint64_t first, std::span<DocumentSource> sources) const override {
    data_.read_sources(first, sources);
  }
  void read(std::uint64_t first, std::span<std::uint32_t> tokens) const override;

 private:
  std::uint64_t covered() const { return ends_.bytes() / sizeof(std::uint64_t); }

  const TokenStream& data_;
  Kind kind_;
  files::UnnamedFile tokens_;
  files::UnnamedFile ends_;  ///< of documents
  files::Digest digest_;
  std::string fingerprint_;
};

}  // namespace chainrule::io::tokens
