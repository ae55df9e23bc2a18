#include "io/tokenizer/added_tokens.h"

#include <algorithm>

namespace chainrule::io::tokenizer {

AddedTokenFinder::AddedTokenFinder(const TokenizerDefinition& definition, bool normalized) {
  for (const AddedToken& token : definition.added) {
    if (token.normalized != normalized) continue;
    const std::string& spelling = definition.tokens[token.id];
    auto& alike = by_first_byte_[static_cast<unsigned char>(spelling[0])];
    if (alike.empty()) first_bytes_ += spelling[0];
    alike.push_back({spelling, token.id, token.special});
    only_special_ = only_special_ && token.special;
  }
  for (auto& alike : by_first_byte_) {
    std::sort(alike.begin(), alike.end(),
              [](const Spelling& a, const Spelling& b) { return a.text.size() > b.text.size(); });
  }
}

const AddedTokenFinder::Spelling* AddedTokenFinder::find(std::string_view text, std::size_t& at) const {
  if (first_bytes_.empty()) return nullptr;
  for (at = text.find_first_of(first_bytes_, at); at != std::string_view::npos;
       at = text.find_first_of(first_bytes_, at + 1)) {
    for (const Spelling& spelling : by_first_byte_[static_cast<unsigned char>(text[at])]) {
      if (text.substr(at).starts_with(spelling.text)) return &spelling;
    }
  }
  return nullptr;
}

bool AddedTokenFinder::has_spaces() const {
  for (const auto& alike : by_first_byte_) {
    for (const Spelling& spelling : alike) {
      for (const char each : spelling.text) {
        if (static_cast<unsigned char>(each) <= ' ' || static_cast<unsigned char>(each) >= 0x80) return true;
      }
    }
  }
  return false;
}

}  // namespace chainrule::io::tokenizer
