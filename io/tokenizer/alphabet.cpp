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

Alphabet::Alphabet(const TokenizerDefinition& definition)
    : definition_(definition),
      has_all_bytes_(std::find(definition.byte_ids.begin(), definition.byte_ids.end(), kNoToken) ==
                     definition.byte_ids.end()) {
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
    spell_characters(piece, ids);
  } else if (has_all_bytes_) {
    for (const char each : piece) ids.push_back(definition_.byte_ids[static_cast<unsigned char>(each)]);
  } else {
    spell_bytes(piece, ids);
  }
}

void Alphabet::spell_unknown(bool unknown_before, std::vector<TokenId>& ids) const {
  if (definition_.unknown && !(unknown_before && definition_.fuse_unknown)) ids.push_back(*definition_.unknown);
}

void Alphabet::spell_bytes(std::string_view piece, std::vector<TokenId>& ids) const {
  bool unknown_before = false;
  for (const char each : piece) {
    const TokenId id = definition_.byte_ids[static_cast<unsigned char>(each)];
    if (id != kNoToken) {
      ids.push_back(id);
    } else {
      spell_unknown(unknown_before, ids);
    }
    unknown_before = id == kNoToken;
  }
}

void Alphabet::spell_characters(std::string_view piece, std::vector<TokenId>& ids) const {
  const bool fallback = definition_.characters->byte_fallback;
  bool unknown_before = false;
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view character = piece.substr(at, text::character_at(piece, at).bytes);
    at += character.size();
    const auto known = characters_.find(character);
    if (known != characters_.end()) {
      ids.push_back(known->second);
    } else if (fallback) {
      for (const char each : character) ids.push_back(definition_.byte_ids[static_cast<unsigned char>(each)]);
    } else {
      spell_unknown(unknown_before, ids);
    }
    unknown_before = known == characters_.end() && !fallback;
  }
}

std::size_t Alphabet::part_end(std::string_view text) const {
  if (space_.empty()) return text.size();
  std::size_t spaces = 0;  // in a row: these may merge
  while (text.substr(spaces).starts_with(space_)) spaces += space_.size();
  return std::min(text.find(space_, std::max<std::size_t>(spaces, 1)), text.size());
}

}  // namespace chainrule::io::tokenizer
