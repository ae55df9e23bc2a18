#include "io/tokens/memory_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/error.h"

namespace chainrule::io::tokens {

MemoryStream::MemoryStream(const Vocabulary& vocabulary, std::vector<std::string> domains)
    : vocabulary_(vocabulary), domains_(std::move(domains)) {}

void MemoryStream::append(std::span<const std::uint32_t> tokens, const DocumentRecord& record, DocumentSource source) {
  DocumentRecord document = record;
  document.first_token = tokens_.size();
  document.tokens = tokens.size() + 1;
  documents_.push_back(document);
  sources_.push_back(std::move(source));
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  tokens_.push_back(vocabulary_.end_of_text);
}

void MemoryStream::read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const {
  require_documents(*this, first, documents.size());
  std::copy_n(documents_.begin() + static_cast<std::ptrdiff_t>(first), documents.size(), documents.begin());
}

void MemoryStream::read_sources(std::uint64_t first, std::span<DocumentSource> sources) const {
  require_documents(*this, first, sources.size());
  std::copy_n(sources_.begin() + static_cast<std::ptrdiff_t>(first), sources.size(), sources.begin());
}

void MemoryStream::read(std::uint64_t first, std::span<std::uint32_t> tokens) const {
  if (first > tokens_.size() || tokens.size() > tokens_.size() - first) {
    throw Error(ErrorKind::bad_data, fmt::format("tokens {} to {} are outside the {} of a stream in memory", first,
                                                 first + tokens.size(), tokens_.size()));
  }
  std::copy_n(tokens_.begin() + static_cast<std::ptrdiff_t>(first), tokens.size(), tokens.begin());
  const auto wrong = std::find_if(tokens.begin(), tokens.end(), [&](auto id) { return id >= vocabulary_.size; });
  if (wrong == tokens.end()) return;
  throw Error(ErrorKind::bad_data,
              fmt::format("stream in memory: token {} at offset {} is outside the vocabulary of {}", *wrong,
                          first + static_cast<std::uint64_t>(wrong - tokens.begin()), vocabulary_.size));
}

}  // namespace chainrule::io::tokens
