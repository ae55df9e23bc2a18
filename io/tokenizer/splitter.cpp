#include "io/tokenizer/splitter.h"

#include "io/text/characters.h"

namespace chainrule::io::tokenizer {
namespace {

/// Bytes of the contraction ('s 't 're 've 'm 'll 'd) at text[at], which holds an apostrophe; 0 for none.
std::size_t contraction(std::string_view text, std::size_t at) {
  const std::size_t left = text.size() - at;
  if (left < 2) return 0;
  const char first = text[at + 1];
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (left < 3) return 0;
  const char second = text[at + 2];
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  return first == 'l' && second == 'l' ? 3 : 0;
}

/// The end of the run of characters of one class that begins at text[at].
std::size_t run_end(std::string_view text, std::size_t at, text::CharacterClass kind) {
  while (at < text.size()) {
    const text::Character next = text::character_at(text, at);
    if (next.kind != kind) break;
    at += next.bytes;
  }
  return at;
}

/// The class of the character that ends at text[at - 1].
text::CharacterClass class_before(std::string_view text, std::size_t at) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= at; ++bytes) {
    const text::Character character = text::character_at(text, at - bytes);
    if (character.bytes == bytes && (bytes > 1 || static_cast<unsigned char>(text[at - 1]) < 0x80)) {
      return character.kind;
    }
  }
  return text::CharacterClass::other;  // no well-formed character ends here
}

}  // namespace

std::size_t gpt2_piece_end(std::string_view text, std::size_t begin) {
  const text::Character first = text::character_at(text, begin);
  if (text[begin] == '\'') {
    const std::size_t bytes = contraction(text, begin);
    if (bytes != 0) return begin + bytes;
  }
  if (first.kind != text::CharacterClass::space) return run_end(text, begin + first.bytes, first.kind);
  if (text[begin] == ' ' && begin + 1 < text.size()) {
    const text::Character second = text::character_at(text, begin + 1);
    if (second.kind != text::CharacterClass::space) return run_end(text, begin + 1 + second.bytes, second.kind);
  }
  // A run of spaces gives its last one to what follows it, unless it is alone or ends the text.
  std::size_t last = begin;
  std::size_t end = begin + first.bytes;
  while (end < text.size()) {
    const text::Character next = text::character_at(text, end);
    if (next.kind != text::CharacterClass::space) return last == begin ? end : last;
    last = end;
    end += next.bytes;
  }
  return end;
}

Splitter::Splitter(std::string pattern, bool matches_only)
    : way_(pattern.empty()           ? Way::whole
           : pattern == kGpt2Pattern ? Way::gpt2
                                     : Way::expression),
      matches_only_(matches_only) {
  if (way_ == Way::expression) expression_ = std::make_unique<const Pattern>(pattern);
}

std::size_t Splitter::settled_prefix(std::string_view text) const {
  if (way_ != Way::gpt2) return 0;
  // No piece goes on from another character into a space, and the pattern looks at nothing before a piece. Only ASCII
  // spaces are looked for: they are whole whatever follows, and make what is before them whole.
  for (std::size_t at = text.size(); at-- > 1;) {
    const bool ascii = static_cast<unsigned char>(text[at]) < 0x80;
    if (ascii && text::character_at(text, at).kind == text::CharacterClass::space &&
        class_before(text, at) != text::CharacterClass::space) {
      return at;
    }
  }
  return 0;
}

Splitter::Pieces::Pieces(const Splitter& splitter, std::string_view text) : splitter_(splitter), text_(text) {
  if (splitter.way_ == Way::expression) matcher_ = std::make_unique<Pattern::Matcher>(*splitter.expression_, text);
}

bool Splitter::Pieces::next(std::string_view& piece) {
  while (at_ < text_.size()) {
    std::size_t end = text_.size();
    switch (splitter_.way_) {
      case Way::whole: break;
      case Way::gpt2: end = gpt2_piece_end(text_, at_); break;
      case Way::expression: end = matcher_->piece_end(at_); break;
    }
    piece = text_.substr(at_, end - at_);
    at_ = end;
    if (!splitter_.matches_only_ || splitter_.way_ != Way::expression || matcher_->matched()) return true;
  }
  return false;
}

}  // namespace chainrule::io::tokenizer
