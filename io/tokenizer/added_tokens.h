#pragma once
#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizer/definition.h"
#include "io/tokenizer/normalizer.h"
#include "io/tokenizer/word_edges.h"

namespace chainrule::io::tokenizer {

/// Finds the spellings of added tokens in text as Hugging Face's library does: the leftmost, of those that begin there
/// the longest, and the next behind it.
class AddedTokenFinder {
 public:
  /// Of the tokens that are looked for in the whole text, or (normalized) in what these leave over: the spellings of
  /// these are normalized too.
  AddedTokenFinder(const TokenizerDefinition& definition, const Normalizer& normalizer, bool normalized);

  /// Cuts text at the tokens: calls on_text(part, begin) with each part between them, which begins at text[begin], and
  /// on_token with each id. Special tokens that are not asked for are text; what they cover holds no other token all
  /// the same.
  template <class OnText, class OnToken>
  void split(std::string_view text, bool special, const OnText& on_text, const OnToken& on_token) const;

  /// Whether text cut before an ASCII space that follows another character may hold other tokens than whole: a spelling
  /// holds such a place, or a token asks what is beside it.
  bool needs_whole_text() const;
  /// Whether a spelling ends in this byte.
  bool may_end_in(char byte) const { return last_bytes_[static_cast<unsigned char>(byte)]; }

 private:
  struct Spelling {
    std::string text;
    AddedToken token;
  };
  struct Alike {
    std::vector<Spelling> spellings;  // of one first byte, longest first
    std::bitset<256> seconds;         // their second bytes
    bool has_single_byte = false;
  };
  /// The first spelling in text at or behind `at`, which is moved to where it begins; null for none.
  const Spelling* find(std::string_view text, std::size_t& at) const;
  const Spelling* find_at(std::string_view text, std::size_t at) const;

  std::array<Alike, 256> by_first_byte_;
  std::string first_bytes_;
  std::bitset<256> last_bytes_;
  std::string space_;  // how a space is spelled in what is looked at
  bool only_special_ = true;
};

template <class OnText, class OnToken>
void AddedTokenFinder::split(std::string_view text, bool special, const OnText& on_text,
                             const OnToken& on_token) const {
  std::size_t before = 0;  // the end of the token found last
  if (special || !only_special_) {
    std::size_t at = 0;
    while (const Spelling* found = find(text, at)) {
      std::size_t begin = at;
      std::size_t end = at = begin + found->text.size();
      const AddedToken& token = found->token;
      if (token.special && !special) continue;
      if (token.single_word && (is_word_before(text, begin) || is_word_at(text, end))) continue;
      if (token.strips_left) begin = std::max(space_begin(text, begin), before);
      if (token.strips_right) end = space_end(text, end);
      if (before < begin) on_text(text.substr(before, begin - before), before);
      on_token(token.id);
      before = end;
    }
  }
  if (before != text.size()) on_text(text.substr(before), before);
}

}  // namespace chainrule::io::tokenizer
