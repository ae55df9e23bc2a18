#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// Finds the spellings of added tokens in text as Hugging Face's library does: the leftmost, of those that begin there
/// the longest, and the next behind it.
class AddedTokenFinder {
 public:
  /// Of the tokens that are looked for in the whole text, or (normalized) in what these leave over.
  AddedTokenFinder(const TokenizerDefinition& definition, bool normalized);

  /// Cuts text at the tokens: calls on_text with each part between them (also an empty one) and on_token with each id.
  /// Special tokens that are not asked for are text; what they cover holds no other token all the same.
  template <class OnText, class OnToken>
  void split(std::string_view text, bool special, const OnText& on_text, const OnToken& on_token) const;

  /// Whether any spelling holds white space or a byte outside ASCII, which may be white space.
  bool has_spaces() const;

 private:
  struct Spelling {
    std::string text;
    TokenId id;
    bool special;
  };
  /// The first spelling in text at or behind `at`, which is moved to where it begins; null for none.
  const Spelling* find(std::string_view text, std::size_t& at) const;

  std::array<std::vector<Spelling>, 256> by_first_byte_;  // longest first
  std::string first_bytes_;
  bool only_special_ = true;
};

template <class OnText, class OnToken>
void AddedTokenFinder::split(std::string_view text, bool special, const OnText& on_text,
                             const OnToken& on_token) const {
  std::size_t begin = 0;
  if (special || !only_special_) {
    std::size_t at = 0;
    while (const Spelling* found = find(text, at)) {
      if (special || !found->special) {
        on_text(text.substr(begin, at - begin));
        on_token(found->id);
        begin = at + found->text.size();
      }
      at += found->text.size();
    }
  }
  on_text(text.substr(begin));
}

}  // namespace chainrule::io::tokenizer
