#include "io/tokens/shard_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/error.h"
#include "io/files/atomic_file.h"

namespace chainrule::io::tokens {
namespace {
/// Tokens written at a time: whole chunks, always the same ones, so that the file's bytes depend on its content alone.
constexpr std::size_t kWriteTokens = 16 * kChunkElements;
}  // namespace

ShardWriter::ShardWriter(const std::filesystem::path& path, const ShardHeader& header, std::uint64_t token_count,
                         int deflate)
    : file_(hdf5::File::create(path)),
      header_(header),
      token_count_(token_count),
      layout_{.chunk_rows = kChunkElements, .deflate = deflate} {
  const auto type =
      header.vocabulary_size <= kLargestNarrowVocabulary ? hdf5::ElementType::u16 : hdf5::ElementType::u32;
  tokens_ = file_.create_dataset("tokens", type, {token_count}, layout_);
}

void ShardWriter::append(std::span<const std::uint32_t> tokens) {
  for (const std::uint32_t token : tokens) {
    if (token >= header_.vocabulary_size) {
      throw Error(ErrorKind::bad_data, fmt::format("writing '{}': token {} is outside the vocabulary of {}",
                                                   file_.path().string(), token, header_.vocabulary_size));
    }
  }
  while (!tokens.empty()) {
    const std::size_t taken = std::min(tokens.size(), kWriteTokens - pending_.size());
    pending_.insert(pending_.end(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(taken));
    tokens = tokens.subspan(taken);
    if (pending_.size() == kWriteTokens) flush();
  }
}

void ShardWriter::flush() {
  if (tokens_.type() == hdf5::ElementType::u16) {
    narrow_.assign(pending_.begin(), pending_.end());
    tokens_.write<std::uint16_t>(written_, narrow_);
  } else {
    tokens_.write<std::uint32_t>(written_, pending_);
  }
  written_ += pending_.size();
  pending_.clear();
}

void ShardWriter::finish(const ShardDocuments& documents, const ShardSources& sources) {
  flush();
  const std::size_t count = documents.bytes.size();
  if (written_ != token_count_ || documents.offsets.size() != count + 1 || documents.offsets.back() != token_count_ ||
      documents.words.size() != count || documents.text_hash.size() != count || documents.domain.size() != count ||
      sources.source.size() != count || sources.line.size() != count) {
    throw std::logic_error("a shard's tokens and documents do not add up");
  }
  tokens_ = {};
  // A shard of few documents is not filled up to a whole chunk.
  const auto chunk_rows = std::clamp<std::uint64_t>(count, 1, kChunkElements);
  const hdf5::DatasetLayout layout{.chunk_rows = chunk_rows, .deflate = layout_.deflate};
  file_.write_dataset<std::uint64_t>("document_offsets", documents.offsets, layout);
  file_.write_dataset<std::uint64_t>("document_bytes", documents.bytes, layout);
  file_.write_dataset<std::uint64_t>("document_words", documents.words, layout);
  file_.write_dataset<std::uint64_t>("document_text_hash", documents.text_hash, layout);
  file_.write_dataset<std::uint16_t>("document_domain", documents.domain, layout);
  file_.write_strings("domains", documents.domains);
  file_.write_dataset<std::uint32_t>("document_source", sources.source, layout);
  file_.write_strings("sources", sources.sources, {.chunk_rows = 0, .deflate = layout_.deflate});
  file_.write_dataset<std::uint64_t>("document_line", sources.line, layout);
  file_.set_format(kShardFormat);
  file_.set_attribute("tokenizer_fingerprint", header_.tokenizer_fingerprint);
  file_.set_attribute("vocabulary_size", std::uint64_t{header_.vocabulary_size});
  file_.set_attribute("end_of_text_id", std::uint64_t{header_.end_of_text});
  file_.set_attribute("token_count", token_count_);
  file_.set_attribute("document_count", std::uint64_t{count});
  file_.close();
  files::sync_path(file_.path());
}

}  // namespace chainrule::io::tokens
