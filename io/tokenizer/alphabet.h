#pragma once
#include <array>
#include <bitset>
#include <cstddef>
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

  /// How many bytes of text, from its start, merge by themselves whatever follows them: up to the next two characters
  /// that no token has side by side. text is not empty.
  std::size_t part_end(std::string_view text) const;

  /// Of text in which spaces are not spelled yet: bytes up to the last space behind another character that no token has
  /// before a space; 0 for none.
  std::size_t settled_prefix(std::string_view text) const;

 private:
  void spell_bytes(std::string_view piece, std::vector<TokenId>& ids) const;
  void spell_characters(std::string_view piece, std::vector<TokenId>& ids) const;
  /// Appends what becomes of something unknown, which follows something unknown or not.
  void spell_unknown(bool unknown_before, std::vector<TokenId>& ids) const;

  const TokenizerDefinition& definition_;
  bool has_all_bytes_;
  std::unordered_map<std::string_view, TokenId> characters_;
  // What parts end between. A token that merges make across a place holds the characters on both sides of it.
  struct Kind {
    std::size_t number;  // of ASCII characters their code
    std::size_t bytes;
  };
  static constexpr std::size_t kSpaceKind = 0x80;  // what stands for a space, where that is beyond ASCII
  static constexpr std::size_t kOtherKind = 0x81;
  static constexpr std::size_t kKinds = 0x82;
  Kind kind_at(std::string_view text, std::size_t at) const;
  void find_neighbours();
  std::array<std::bitset<kKinds>, kKinds> neighbours_;  // [before][behind]; all where parts end nowhere
};

}  // namespace chainrule::io::tokenizer
