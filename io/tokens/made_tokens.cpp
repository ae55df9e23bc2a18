#include "io/tokens/made_tokens.h"

#include <fmt/format.h>

#include "io/error.h"

namespace chainrule::io::tokens {

MadeTokens::MadeTokens(const TokenStream& data, Kind kind)
    : data_(data),
      kind_(kind),
      tokens_(std::filesystem::temp_directory_path()),
      ends_(std::filesystem::temp_directory_path()) {}

void MadeTokens::append(std::span<const std::uint32_t> tokens) {
  tokens_.append(std::as_bytes(tokens));
  digest_.update(tokens.data(), tokens.size_bytes());
}

void MadeTokens::end_document(std::uint64_t token) {
  ends_.append(std::as_bytes(std::span(&token, 1)));
  digest_.update(&token, sizeof token);
}

void MadeTokens::finish() {
  tokens_.flush();
  ends_.flush();
  fingerprint_ = digest_.hexadecimal();
}

void MadeTokens::read_documents(std::uint64_t first, std::span<DocumentRecord> documents) const {
  data_.read_documents(first, documents);
  // The ends of these documents and of the one before them, as far as they are covered.
  const std::uint64_t before = first == 0 ? 0 : 1;
  std::vector<std::uint64_t> ends(documents.size() + before, token_count());
  const std::uint64_t begin = first - before;
  if (begin < covered()) {
    const std::uint64_t there = std::min<std::uint64_t>(ends.size(), covered() - begin);
    ends_.read(begin * sizeof(std::uint64_t), std::as_writable_bytes(std::span(ends).first(there)));
  }
  std::uint64_t at = before == 0 ? 0 : ends.front();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    documents[i].first_token = at;
    documents[i].tokens = ends[i + before] - at;
    if (!kind_.keeps_counts) documents[i].bytes = documents[i].words = 0;
    at = ends[i + before];
  }
}

void MadeTokens::read(std::uint64_t first, std::span<std::uint32_t> tokens) const {
  if (first > token_count() || tokens.size() > token_count() - first) {
    throw Error(ErrorKind::bad_data, fmt::format("tokens {} to {} are outside the {} made of '{}'", first,
                                                 first + tokens.size(), token_count(), path().string()));
  }
  tokens_.read(first * sizeof(std::uint32_t), std::as_writable_bytes(tokens));
}

}  // namespace chainrule::io::tokens
