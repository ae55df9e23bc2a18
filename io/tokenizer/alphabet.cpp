#include "io/tokenizer/alphabet.h"

#include <algorithm>

#include "io/text/characters.h"

namespace chainrule::io::tokenizer {
namespace {

/// Whether a merge joins a space to the end of something else.
bool joins_spaces(const TokenizerDefinition& definition, const std::string& space) {
  return std::any_of(definition.merges.begin(), definition.merges.end(), [&](const Merge& merge) {
    return !definition.tokens[merge.left].ends_with(space) && definition.tokens[merge.right].starts_with(space);
  });
}

}  // namespace

Alphabet::Alphabet(const TokenizerDefinition& definition) : definition_(definition) {
  if (!definition.characters) return;
  for (TokenId id = 0; id < definition.tokens.size(); ++id) {
    const std::string& token = definition.tokens[id];
    if (!token.empty() && text::character_at(token, 0).bytes == token.size()) characters_.emplace(token, id);
  }
  for (const AddedToken& token : definition.added) {
    if (!token.in_vocabulary) characters_.erase(definition.tokens[token.id]);
  }
  const std::string& space = definition.characters->space;
  if (!space.empty() && characters_.contains(space) && !joins_spaces(definition, space)) space_ = space;
}

void Alphabet::spell(std::string_view piece, std::vector<TokenId>& ids) const {
  if (definition_.characters) {
    spell_characters(piece, *definition_.characters, ids);
    return;
  }
  for (const char each : piece) ids.push_back(definition_.byte_ids[static_cast<unsigned char>(each)]);
}

void Alphabet::spell_characters(std::string_view piece, const CharacterAlphabet& characters,
                                std::vector<TokenId>& ids) const {
  bool unknown_before = false;
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view character = piece.substr(at, text::character_at(piece, at).bytes);
    at += character.size();
    const auto known = characters_.find(character);
    const bool unknown = known == characters_.end() && !characters.byte_fallback;
    if (known != characters_.end()) {
      ids.push_back(known->second);
    } else if (characters.byte_fallback) {
      for (const char each : character) ids.push_back(definition_.byte_ids[static_cast<unsigned char>(each)]);
    } else if (characters.unknown && !(unknown_before && characters.fuse_unknown)) {
      ids.push_back(*characters.unknown);
    }
    unknown_before = unknown;
  }
}

std::size_t Alphabet::part_end(std::string_view text) const {
  if (space_.empty()) return text.size();
  std::size_t spaces = 0;  // in a row: these may merge
  while (text.substr(spaces).starts_with(space_)) spaces += space_.size();
  return std::min(text.find(space_, std::max<std::size_t>(spaces, 1)), text.size());
}

}  // namespace chainrule::io::tokenizer
