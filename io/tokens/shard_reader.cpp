#include "io/tokens/shard_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "io/error.h"
#include "io/hdf5/file.h"

namespace chainrule::io::tokens {
namespace {

constexpr std::size_t kReadTokens = std::size_t{1} << 20U;

ShardHeader read_header(const hdf5::File& file) {
  file.require_format(kShardFormat);
  const std::string name = file.path().string();
  const std::uint64_t vocabulary = file.number_attribute("vocabulary_size");
  const std::uint64_t end_of_text = file.number_attribute("end_of_text_id");
  if (vocabulary > std::numeric_limits<std::uint32_t>::max() || end_of_text >= vocabulary) {
    throw Error(ErrorKind::bad_data, fmt::format("shard '{}': end-of-text {} is outside the vocabulary of {}", name,
                                                 end_of_text, vocabulary));
  }
  return {file.text_attribute("tokenizer_fingerprint"), static_cast<std::uint32_t>(vocabulary),
          static_cast<std::uint32_t>(end_of_text)};
}

}  // namespace

ShardReader::ShardReader(const std::filesystem::path& path) : path_(path) {
  const hdf5::File file = hdf5::File::open(path);
  header_ = read_header(file);
  token_count_ = file.number_attribute("token_count");
  document_count_ = file.number_attribute("document_count");
  tokens_ = file.dataset("tokens");
  const auto expected =
      header_.vocabulary_size <= kLargestNarrowVocabulary ? hdf5::ElementType::u16 : hdf5::ElementType::u32;
  if (tokens_.type() != expected) refuse("dataset 'tokens' has another element type than its vocabulary asks for");
  if (tokens_.shape().size() != 1 || tokens_.rows() != token_count_) {
    refuse(fmt::format("dataset 'tokens' has {} tokens, its attributes say {}", tokens_.elements(), token_count_));
  }
  if (document_count_ > token_count_) {
    refuse(fmt::format("{} documents cannot end in {} tokens", document_count_, token_count_));
  }
  columns_ = {column(file, "document_offsets", document_count_ + 1),
              column(file, "document_bytes", document_count_),
              column(file, "document_words", document_count_),
              column(file, "document_domain", document_count_),
              column(file, "document_source", document_count_),
              column(file, "document_line", document_count_),
              {}};
  const std::vector<std::string> names = file.names();
  if (std::find(names.begin(), names.end(), "document_text_hash") != names.end()) {
    columns_.text_hash = column(file, "document_text_hash", document_count_);
  }
  domains_ = file.read_strings("domains");
}

void ShardReader::refuse(const std::string& what) const {
  throw Error(ErrorKind::bad_data, fmt::format("shard '{}': {}", path_.string(), what));
}

hdf5::Dataset ShardReader::column(const hdf5::File& file, const char* name, std::uint64_t rows) const {
  hdf5::Dataset dataset = file.dataset(name);
  if (dataset.shape().size() != 1 || dataset.rows() != rows) {
    refuse(fmt::format("dataset '{}' has {} elements, not {}", name, dataset.elements(), rows));
  }
  return dataset;
}

ShardDocuments ShardReader::documents(std::uint64_t first, std::uint64_t count) const {
  ShardDocuments documents;
  documents.offsets.resize(count + 1);
  documents.bytes.resize(count);
  documents.words.resize(count);
  documents.domain.resize(count);
  columns_.offsets.read(first, std::span(documents.offsets));
  columns_.bytes.read(first, std::span(documents.bytes));
  columns_.words.read(first, std::span(documents.words));
  columns_.domain.read(first, std::span(documents.domain));
  if (columns_.text_hash) {
    documents.text_hash.resize(count);
    columns_.text_hash->read(first, std::span(documents.text_hash));
  }
  documents.domains = domains_;
  if (first == 0 && documents.offsets.front() != 0) refuse("dataset 'document_offsets' does not begin at 0");
  if (first + count == document_count_ && documents.offsets.back() != token_count_) {
    refuse(fmt::format("dataset 'document_offsets' ends at {}, not at the {} tokens", documents.offsets.back(),
                       token_count_));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (documents.offsets[i + 1] <= documents.offsets[i] || documents.offsets[i + 1] > token_count_) {
      refuse(fmt::format("dataset 'document_offsets' does not rise at document {}: {} then {}", first + i,
                         documents.offsets[i], documents.offsets[i + 1]));
    }
    if (documents.domain[i] >= documents.domains.size()) {
      refuse(fmt::format("dataset 'document_domain': domain {} of document {} is outside the table of {}",
                         documents.domain[i], first + i, documents.domains.size()));
    }
  }
  return documents;
}

ShardSources ShardReader::sources(std::uint64_t first, std::uint64_t count) const {
  ShardSources sources;
  sources.source.resize(count);
  sources.line.resize(count);
  columns_.source.read(first, std::span(sources.source));
  columns_.line.read(first, std::span(sources.line));
  sources.sources = hdf5::File::open(path_).read_strings("sources");
  for (std::uint64_t i = 0; i < count; ++i) {
    if (sources.source[i] >= sources.sources.size()) {
      refuse(fmt::format("dataset 'document_source': source {} of document {} is outside the table of {}",
                         sources.source[i], first + i, sources.sources.size()));
    }
  }
  return sources;
}

void ShardReader::read(std::uint64_t first, std::span<std::uint32_t> tokens) const {
  if (tokens_.type() == hdf5::ElementType::u32) {
    tokens_.read<std::uint32_t>(first, tokens);
    check_tokens(first, tokens);
    return;
  }
  thread_local std::vector<std::uint16_t> narrow;  // grows to a block at most
  while (!tokens.empty()) {
    const std::size_t count = std::min(tokens.size(), kReadTokens);
    if (narrow.size() < count) narrow.resize(count);
    tokens_.read<std::uint16_t>(first, std::span(narrow).first(count));
    std::copy_n(narrow.begin(), count, tokens.begin());
    check_tokens(first, tokens.first(count));
    tokens = tokens.subspan(count);
    first += count;
  }
}

void ShardReader::check_tokens(std::uint64_t first, std::span<const std::uint32_t> tokens) const {
  std::uint32_t largest = 0;  // a loop without a way out, which compilers vectorise
  for (const std::uint32_t token : tokens) largest = std::max(largest, token);
  if (tokens.empty() || largest < header_.vocabulary_size) return;
  const auto at =
      std::find_if(tokens.begin(), tokens.end(), [&](auto token) { return token >= header_.vocabulary_size; });
  refuse(fmt::format("token {} at offset {} is outside the vocabulary of {}", *at,
                     first + static_cast<std::uint64_t>(at - tokens.begin()), header_.vocabulary_size));
}

void ShardReader::verify() const {
  const ShardDocuments all = documents(0, document_count_);
  sources(0, document_count_);
  std::vector<std::uint32_t> block(std::min<std::uint64_t>(kReadTokens, token_count_));
  std::uint64_t document = 0;
  for (std::uint64_t first = 0; first < token_count_; first += block.size()) {
    block.resize(std::min<std::uint64_t>(block.size(), token_count_ - first));
    read(first, block);
    for (; document < document_count_ && all.offsets[document + 1] <= first + block.size(); ++document) {
      const std::uint64_t last = all.offsets[document + 1] - 1;
      if (block[last - first] != header_.end_of_text) {
        refuse(fmt::format("document {} ends at offset {} in token {}, not in the end-of-text {}", document, last,
                           block[last - first], header_.end_of_text));
      }
    }
  }
}

}  // namespace chainrule::io::tokens
