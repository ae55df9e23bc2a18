#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// Finds the spellings of added tokens in text: the leftmost, and of those that begin there the longest.
class AddedTokenFinder {
 public:
  /// With special tokens, or only with the tokens that are always matched.
  AddedTokenFinder(const TokenizerDefinition& definition, bool special);

  struct Found {
    std::size_t at;     ///< the size of the text where there is none
    std::size_t bytes;  ///< 0 where there is none
    TokenId id;
  };
  Found find(std::string_view text) const;

  /// Whether any spelling holds white space or a byte outside ASCII, which may be white space.
  bool has_spaces() const;

 private:
  std::array<std::vector<std::pair<std::string, TokenId>>, 256> by_first_byte_;  // longest first
  std::string first_bytes_;
};

}  // namespace chainrule::io::tokenizer
