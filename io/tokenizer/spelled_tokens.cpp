#include "io/tokenizer/spelled_tokens.h"

#include <algorithm>

namespace chainrule::io::tokenizer {

SpelledTokens::SpelledTokens(const Tokenizer& tokenizer) {
  for (TokenId id = 0; id < tokenizer.vocabulary_size(); ++id) {
    if (!tokenizer.is_special(id)) continue;
    const std::string spelling(tokenizer.token_bytes(id));
    if (spelling.empty()) continue;
    longest_ = std::max(longest_, spelling.size());
    spellings_[static_cast<unsigned char>(spelling.front())].push_back(spelling);
  }
}

std::optional<std::string> SpelledTokens::find(std::string_view piece) {
  held_ += piece;
  const std::string_view text(held_);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const std::string& spelling : spellings_[static_cast<unsigned char>(text[at])]) {
      if (text.substr(at).starts_with(spelling)) return spelling;
    }
  }
  held_.erase(0, held_.size() - std::min(held_.size(), longest_ - 1));
  return std::nullopt;
}

}  // namespace chainrule::io::tokenizer
