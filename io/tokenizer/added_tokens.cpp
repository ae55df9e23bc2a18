#include "io/tokenizer/added_tokens.h"

#include <algorithm>

namespace chainrule::io::tokenizer {

AddedTokenFinder::AddedTokenFinder(const TokenizerDefinition& definition, bool special) {
  for (const AddedToken& token : definition.added) {
    if (token.special && !special) continue;
    const std::string& spelling = definition.tokens[token.id];
    auto& alike = by_first_byte_[static_cast<unsigned char>(spelling[0])];
    if (alike.empty()) first_bytes_ += spelling[0];
    alike.emplace_back(spelling, token.id);
  }
  for (auto& alike : by_first_byte_) {
    std::sort(alike.begin(), alike.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  }
}

AddedTokenFinder::Found AddedTokenFinder::find(std::string_view text) const {
  if (!first_bytes_.empty()) {
    for (std::size_t at = text.find_first_of(first_bytes_); at != std::string_view::npos;
         at = text.find_first_of(first_bytes_, at + 1)) {
      for (const auto& [spelling, id] : by_first_byte_[static_cast<unsigned char>(text[at])]) {
        if (text.substr(at).starts_with(spelling)) return {at, spelling.size(), id};
      }
    }
  }
  return {text.size(), 0, 0};
}

bool AddedTokenFinder::has_spaces() const {
  for (const auto& alike : by_first_byte_) {
    for (const auto& [spelling, id] : alike) {
      for (const char each : spelling) {
        if (static_cast<unsigned char>(each) <= ' ' || static_cast<unsigned char>(each) >= 0x80) return true;
      }
    }
  }
  return false;
}

}  // namespace chainrule::io::tokenizer
