#include "io/tokenizer/added_tokens.h"

#include <algorithm>

namespace chainrule::io::tokenizer {

AddedTokenFinder::AddedTokenFinder(const TokenizerDefinition& definition, const Normalizer& normalizer, bool normalized)
    : space_(normalized && definition.characters ? definition.characters->space : "") {
  for (const AddedToken& token : definition.added) {
    if (token.normalized != normalized) continue;
    std::string changed;
    const std::string& spelling = definition.tokens[token.id];
    const std::string_view looked_for = normalized ? normalizer.apply(spelling, true, changed) : spelling;
    if (looked_for.empty()) continue;
    Alike& alike = by_first_byte_[static_cast<unsigned char>(looked_for[0])];
    if (alike.spellings.empty()) first_bytes_ += looked_for[0];
    last_bytes_.set(static_cast<unsigned char>(looked_for.back()));
    if (looked_for.size() == 1) alike.has_single_byte = true;
    if (looked_for.size() > 1) alike.seconds.set(static_cast<unsigned char>(looked_for[1]));
    alike.spellings.push_back({std::string(looked_for), token});
    only_special_ = only_special_ && token.special;
  }
  for (Alike& alike : by_first_byte_) {
    std::stable_sort(alike.spellings.begin(), alike.spellings.end(),
                     [](const Spelling& a, const Spelling& b) { return a.text.size() > b.text.size(); });
  }
}

const AddedTokenFinder::Spelling* AddedTokenFinder::find_at(std::string_view text, std::size_t at) const {
  const Alike& alike = by_first_byte_[static_cast<unsigned char>(text[at])];
  const bool second_fits = at + 1 < text.size() && alike.seconds[static_cast<unsigned char>(text[at + 1])];
  if (!second_fits && !alike.has_single_byte) return nullptr;
  for (const Spelling& spelling : alike.spellings) {
    if (text.substr(at).starts_with(spelling.text)) return &spelling;
  }
  return nullptr;
}

const AddedTokenFinder::Spelling* AddedTokenFinder::find(std::string_view text, std::size_t& at) const {
  if (first_bytes_.empty()) return nullptr;
  const auto next = [&](std::size_t from) {
    if (first_bytes_.size() == 1) return text.find(first_bytes_[0], from);
    while (from < text.size() && by_first_byte_[static_cast<unsigned char>(text[from])].spellings.empty()) ++from;
    return from < text.size() ? from : std::string_view::npos;
  };
  for (at = next(at); at != std::string_view::npos; at = next(at + 1)) {
    if (const Spelling* found = find_at(text, at)) return found;
  }
  return nullptr;
}

bool AddedTokenFinder::needs_whole_text() const {
  const auto may_be_cut = [&](std::string_view text) {
    for (std::size_t at = 1; at < text.size(); ++at) {
      const bool space =
          static_cast<unsigned char>(text[at]) <= ' ' ||
          (!space_.empty() && text.substr(at).starts_with(space_) && !text.substr(0, at).ends_with(space_));
      if (space && character_before(text, at).kind != text::CharacterClass::space) return true;
    }
    return false;
  };
  return std::any_of(by_first_byte_.begin(), by_first_byte_.end(), [&](const Alike& alike) {
    return std::any_of(alike.spellings.begin(), alike.spellings.end(), [&](const Spelling& each) {
      const AddedToken& token = each.token;
      return token.strips_left || token.strips_right || token.single_word || may_be_cut(each.text);
    });
  });
}

}  // namespace chainrule::io::tokenizer
