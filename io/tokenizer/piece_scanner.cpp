#include "io/tokenizer/piece_scanner.h"

#include <array>

#include "io/text/characters.h"

namespace chainrule::io::tokenizer {
namespace {

using text::CharacterClass;

/// Which of the patterns that follow Llama 3's form.
struct Form {
  bool contraction_first = false;  ///< (?i:'s|'t|'re|'ve|'m|'ll|'d) is the first alternative
  bool contraction_last = false;   ///< words end in one
  bool cased = false;              ///< a word ends before an upper case letter that follows a lower case one
  std::size_t digits = 1;          ///< a number's longest
  bool slashes = false;            ///< what ends a run of symbols: [\r\n/]* instead of [\r\n]*
};

constexpr Form kLlama3Form = {.contraction_first = true, .digits = 3};
constexpr Form kQwenForm = {.contraction_first = true};
constexpr Form kLlama4Form = {.contraction_last = true, .cased = true, .digits = 3, .slashes = true};

constexpr std::size_t kUnknown = 0;

/// Pieces of ASCII text. Every function gives the end of what begins at `at`; kUnknown where a character outside ASCII
/// is looked at.
class AsciiPiece {
 public:
  AsciiPiece(std::string_view text, std::size_t begin) : text_(text), begin_(begin) {}

  /// The end of the piece by the alternatives of a form.
  std::size_t end(const Form& form) {
    const std::size_t end = find_end(form);
    return unknown_ ? kUnknown : end;
  }

  /// The end of the piece of kDeepSeekPattern; begin_ itself where none begins here.
  std::size_t deepseek_end() {
    const std::size_t end = find_deepseek_end();
    return unknown_ ? kUnknown : end;
  }

 private:
  /// The class of the character at `at`; `other` at the end.
  CharacterClass kind(std::size_t at) {
    if (at >= text_.size()) return CharacterClass::other;
    if (text::is_ascii(text_[at])) return text::kAsciiClasses[static_cast<unsigned char>(text_[at])];
    unknown_ = true;
    return CharacterClass::other;
  }
  bool is(std::size_t at, CharacterClass wanted) { return at < text_.size() && kind(at) == wanted && !unknown_; }
  bool is_symbol(std::size_t at) { return is(at, CharacterClass::other); }
  bool is_break(std::size_t at) const { return at < text_.size() && (text_[at] == '\r' || text_[at] == '\n'); }
  bool is_upper(std::size_t at) { return is(at, CharacterClass::letter) && (text_[at] & 0x20) == 0; }
  bool is_lower(std::size_t at) { return is(at, CharacterClass::letter) && (text_[at] & 0x20) != 0; }

  std::size_t run(std::size_t at, CharacterClass wanted) {
    while (is(at, wanted)) ++at;
    return at;
  }

  /// The end of the contraction at `at`; `at` for none.
  std::size_t contraction(std::size_t at) {
    if (at >= text_.size() || text_[at] != '\'') return at;
    const auto letter = [&](std::size_t place) {
      return is(place, CharacterClass::letter) ? static_cast<char>(text_[place] | 0x20) : '\0';
    };
    const char first = letter(at + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    if (first != 'r' && first != 'v' && first != 'l') return at;
    return letter(at + 2) == (first == 'l' ? 'l' : 'e') ? at + 3 : at;
  }

  std::size_t word(std::size_t at, const Form& form) {
    if (!form.cased) return run(at, CharacterClass::letter);
    while (is_upper(at)) ++at;
    while (is_lower(at)) ++at;
    return form.contraction_last ? contraction(at) : at;
  }

  std::size_t space() {
    const std::size_t end = run(begin_, CharacterClass::space);
    for (std::size_t at = end; at > begin_; --at) {
      if (is_break(at - 1)) return at;  // up to the last line break
    }
    // The last space belongs to what follows it, unless it is alone or ends the text.
    return end == text_.size() || end == begin_ + 1 ? end : end - 1;
  }

  std::size_t find_end(const Form& form) {
    if (form.contraction_first) {
      const std::size_t end = contraction(begin_);
      if (end != begin_ || unknown_) return end;
    }
    const CharacterClass first = kind(begin_);
    if (first == CharacterClass::letter) return word(begin_, form);
    if (first == CharacterClass::number) {
      std::size_t end = begin_ + 1;
      while (end - begin_ < form.digits && is(end, CharacterClass::number)) ++end;
      return end;
    }
    if (!is_break(begin_) && is(begin_ + 1, CharacterClass::letter)) return word(begin_ + 1, form);
    const std::size_t symbols = begin_ + (text_[begin_] == ' ' ? 1 : 0);
    if (is_symbol(symbols)) {
      std::size_t end = run(symbols, CharacterClass::other);
      while (is_break(end) || (form.slashes && end < text_.size() && text_[end] == '/')) ++end;
      return end;
    }
    return space();
  }

  /// A character of \p{P} or \p{S}.
  bool is_mark(std::size_t at) { return is_symbol(at) && text_[at] > ' ' && text_[at] != 0x7F; }

  std::size_t find_deepseek_end() {
    const CharacterClass first = kind(begin_);
    if (first == CharacterClass::letter) return run(begin_, CharacterClass::letter);
    if (!is_break(begin_) && is(begin_ + 1, CharacterClass::letter)) return run(begin_ + 1, CharacterClass::letter);
    std::size_t end = begin_ + (text_[begin_] == ' ' ? 1 : 0);
    if (is_mark(end)) {
      while (is_mark(end)) ++end;
      while (is_break(end)) ++end;
      return end;
    }
    return first == CharacterClass::space ? space() : begin_;
  }

  std::string_view text_;
  std::size_t begin_;
  bool unknown_ = false;
};

template <const Form& form>
Scan scan_form(std::string_view text, std::size_t at) {
  const std::size_t end = AsciiPiece(text, at).end(form);
  return end == kUnknown ? Scan{Scan::Found::unknown} : Scan{Scan::Found::match, at, end};
}

Scan scan_gpt2(std::string_view text, std::size_t at) { return {Scan::Found::match, at, gpt2_piece_end(text, at)}; }

Scan scan_deepseek(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    const std::size_t end = AsciiPiece(text, at).deepseek_end();
    if (end == kUnknown) return {Scan::Found::unknown};
    if (end != at) return {Scan::Found::match, at, end};
  }
  return {Scan::Found::nothing};
}

/// Matches hold only what is not ASCII.
Scan scan_beyond_ascii(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (!text::is_ascii(text[at])) return {Scan::Found::unknown};
  }
  return {Scan::Found::nothing};
}

Scan scan_numbers_of_three(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const text::Character first = text::character_at(text, at);
    if (first.kind != CharacterClass::number) {
      at += first.bytes;
      continue;
    }
    std::size_t end = at + first.bytes;
    for (int more = 0; more < 2 && end < text.size(); ++more) {
      const text::Character next = text::character_at(text, end);
      if (next.kind != CharacterClass::number) break;
      end += next.bytes;
    }
    return {Scan::Found::match, at, end};
  }
  return {Scan::Found::nothing};
}

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
std::size_t run_end(std::string_view text, std::size_t at, CharacterClass kind) {
  while (at < text.size()) {
    const text::Character next = text::character_at(text, at);
    if (next.kind != kind) break;
    at += next.bytes;
  }
  return at;
}

}  // namespace

std::size_t gpt2_piece_end(std::string_view text, std::size_t begin) {
  const text::Character first = text::character_at(text, begin);
  if (text[begin] == '\'') {
    const std::size_t bytes = contraction(text, begin);
    if (bytes != 0) return begin + bytes;
  }
  if (first.kind != CharacterClass::space) return run_end(text, begin + first.bytes, first.kind);
  if (text[begin] == ' ' && begin + 1 < text.size()) {
    const text::Character second = text::character_at(text, begin + 1);
    if (second.kind != CharacterClass::space) return run_end(text, begin + 1 + second.bytes, second.kind);
  }
  // A run of spaces gives its last one to what follows it, unless it is alone or ends the text.
  std::size_t last = begin;
  std::size_t end = begin + first.bytes;
  while (end < text.size()) {
    const text::Character next = text::character_at(text, end);
    if (next.kind != CharacterClass::space) return last == begin ? end : last;
    last = end;
    end += next.bytes;
  }
  return end;
}

PieceScanner scanner_of(std::string_view pattern) {
  struct Known {
    std::string_view pattern;
    PieceScanner scanner;
  };
  static const std::array kKnown = {
      Known{kGpt2Pattern,
            {.scan = &scan_gpt2, .complete = true, .cuts_before_spaces = true, .cuts_before_breaks = true}},
      Known{kLlama3Pattern, {.scan = &scan_form<kLlama3Form>, .cuts_before_spaces = true}},
      Known{kQwen2Pattern, {.scan = &scan_form<kQwenForm>, .cuts_before_spaces = true}},
      Known{kQwen35Pattern, {.scan = &scan_form<kQwenForm>, .cuts_before_spaces = true}},
      Known{kLlama4Pattern, {.scan = &scan_form<kLlama4Form>, .cuts_before_spaces = true}},
      Known{kDeepSeekPattern, {.scan = &scan_deepseek, .cuts_before_spaces = true}},
      Known{kDeepSeekIdeographs, {.scan = &scan_beyond_ascii, .leaves_spaces = true}},
      Known{kNumbersOfThree, {.scan = &scan_numbers_of_three, .complete = true, .leaves_spaces = true}},
  };
  for (const Known& known : kKnown) {
    if (known.pattern == pattern) return known.scanner;
  }
  return {};
}

}  // namespace chainrule::io::tokenizer
