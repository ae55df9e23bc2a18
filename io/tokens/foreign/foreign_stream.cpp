#include "io/tokens/foreign/foreign_stream.h"

#include <fmt/format.h>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/quote.h"
#include "io/text/text_hash.h"
#include "io/text/word_count.h"

namespace chainrule::io::tokens::foreign {

ForeignStream::ForeignStream(std::filesystem::path path, TokenShards shards,
                             std::shared_ptr<const tokenizer::Tokenizer> tokenizer)
    : path_(std::move(path)),
      tokenizer_(std::move(tokenizer)),
      tokenizer_fingerprint_(tokenizer_->fingerprint()),
      run_(std::move(shards), document_ids_of(*tokenizer_)) {
  std::string all = fmt::format("{} {}", name_of(run_.shards().layout), tokenizer_fingerprint_);
  const DocumentIds ids = document_ids_of(*tokenizer_);
  if (ids.document_start != ids.end_of_text) all += fmt::format(" {}", ids.document_start);  // parts documents, too
  for (std::size_t shard = 0; shard < run_.shards().files.size(); ++shard) {
    digests_.push_back(digest_of(shard));
    all += " " + digests_.back();
  }
  fingerprint_ = files::text_digest(all);
}

std::string ForeignStream::digest_of(std::size_t shard) const {
  const std::filesystem::path& file = run_.shards().files.at(shard);
  const std::string digest = files::file_digest(file);
  return run_.shards().layout == Layout::megatron ? digest + files::file_digest(index_beside(file)) : digest;
}

void ForeignStream::verify_shard(std::size_t shard) const {
  if (digest_of(shard) == digests_.at(shard)) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("{} changed since it was opened", path_in_quotes(run_.shards().files[shard])));
}

void ForeignStream::read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const {
  require_documents(*this, first, documents.size());
  std::vector<std::uint32_t> tokens;
  for (DocumentRecord& record : documents) {
    const std::string text = decoded_document(run_, first, *tokenizer_, tokens);
    record = {run_.first_token(first++), tokens.size(), text.size(), text::count_words(text), 0, text::text_hash(text)};
  }
}

void ForeignStream::read_sources(std::uint64_t first, std::span<DocumentSource> sources) const {
  require_documents(*this, first, sources.size());
  std::size_t file = 0;
  for (DocumentSource& source : sources) {
    while (first >= run_.documents_of(file).second) ++file;
    source = {run_.shards().files[file].string(), first++ - run_.documents_of(file).first + 1};
  }
}

std::string decoded_document(const TokenRun& run, std::uint64_t document, const tokenizer::Tokenizer& tokenizer,
                             std::vector<std::uint32_t>& buffer) {
  const std::uint64_t first = run.first_token(document);
  buffer.resize(run.first_token(document + 1) - first);
  run.read(first, buffer);
  return tokenizer.decode(std::span(buffer).first(buffer.size() - 1));
}

}  // namespace chainrule::io::tokens::foreign
