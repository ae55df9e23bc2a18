#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// Finds special tokens that a text spells, as encode_with_special_tokens() would: in a text given in pieces.
class SpelledTokens {
 public:
  explicit SpelledTokens(const Tokenizer& tokenizer);

  /// Takes the next piece of the text; returns the spelling of a special token that ends in it, if there is one.
  std::optional<std::string> find(std::string_view piece);
  /// Another text begins.
  void begin() { held_.clear(); }

 private:
  std::array<std::vector<std::string>, 256> spellings_;  ///< by their first byte
  std::size_t longest_ = 1;
  std::string held_;  ///< the end of what was taken, in which a spelling may have begun; then the new piece
};

}  // namespace chainrule::io::tokenizer
