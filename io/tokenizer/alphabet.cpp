#include "io/tokenizer/alphabet.h"

#include <algorithm>

#include "io/text/characters.h"
#include "io/tokenizer/word_edges.h"

namespace chainrule::io::tokenizer {
namespace {

/// Whether merges join what stands in for a character that is no token: its spelling is not the text's.
bool joins_stand_ins(const TokenizerDefinition& definition) {
  const auto& bytes = definition.byte_ids;
  const auto is_one = [&](TokenId id) {
    return id == definition.unknown || std::find(bytes.begin(), bytes.end(), id) != bytes.end();
  };
  return std::any_of(definition.merges.begin(), definition.merges.end(),
                     [&](const Merge& merge) { return is_one(merge.left) || is_one(merge.right); });
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
  find_neighbours();
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

Alphabet::Kind Alphabet::kind_at(std::string_view text, std::size_t at) const {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1};
  const std::string& space = definition_.characters->space;
  const std::size_t bytes = text::character_at(text, at).bytes;
  return {text.substr(at, bytes) == space ? kSpaceKind : kOtherKind, bytes};
}

void Alphabet::find_neighbours() {
  const CharacterAlphabet& characters = *definition_.characters;
  if (joins_stand_ins(definition_)) {
    for (auto& behind : neighbours_) behind.set();
    return;
  }
  for (const Merge& merge : definition_.merges) {
    const std::string& token = definition_.tokens[merge.result];
    for (std::size_t at = 0, before = kKinds; at < token.size();) {
      const Kind kind = kind_at(token, at);
      if (before != kKinds) neighbours_[before].set(kind.number);
      before = kind.number;
      at += kind.bytes;
    }
  }
  if (characters.byte_fallback) return;
  // Neighbouring unknown characters may become one token.
  for (std::size_t before = 0; before < kKinds; ++before) {
    for (std::size_t behind = 0; behind < kKinds; ++behind) {
      const bool known = behind == kSpaceKind && characters_.contains(characters.space);
      if (!known) neighbours_[before].set(behind);
    }
  }
}

std::size_t Alphabet::part_end(std::string_view text) const {
  Kind before = kind_at(text, 0);
  std::size_t at = before.bytes;
  while (at < text.size()) {
    const Kind behind = kind_at(text, at);
    if (!neighbours_[before.number][behind.number]) return at;
    before = behind;
    at += behind.bytes;
  }
  return at;
}

std::size_t Alphabet::settled_prefix(std::string_view text) const {
  const std::string& spelling = definition_.characters->space;
  const std::size_t space = spelling.empty() ? ' ' : kind_at(spelling, 0).number;
  for (std::size_t at = text.size(); at-- > 1;) {
    if (text[at] != ' ') continue;
    const text::Character before = character_before(text, at);
    if (before.kind == text::CharacterClass::space) continue;
    if (!neighbours_[kind_at(text, at - before.bytes).number][space]) return at;
  }
  return 0;
}

}  // namespace chainrule::io::tokenizer
