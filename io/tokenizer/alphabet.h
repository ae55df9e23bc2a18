#pragma once
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// What a piece is before its tokens are merged: the ids of its bytes, or of its characters.
class Alphabet {
 public:
  /// definition must outlive it.
  explicit Alphabet(const TokenizerDefinition& definition);

  /// Appends the ids of piece.
  void spell(std::string_view piece, std::vector<TokenId>& ids) const;

  /// How many bytes of text, from its start, merge by themselves whatever follows them: up to the next character that
  /// stands for a space, where no merge joins one to what is before it; else all. text is not empty.
  std::size_t part_end(std::string_view text) const;

 private:
  void spell_bytes(std::string_view piece, std::vector<TokenId>& ids) const;
  void spell_characters(std::string_view piece, std::vector<TokenId>& ids) const;
  /// Appends what becomes of something unknown, which follows something unknown or not.
  void spell_unknown(bool unknown_before, std::vector<TokenId>& ids) const;

  const TokenizerDefinition& definition_;
  bool has_all_bytes_;
  std::unordered_map<std::string_view, TokenId> characters_;
  std::string space_;  // before which parts end; empty where they may not
};

}  // namespace chainrule::io::tokenizer
