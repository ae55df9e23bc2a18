#include "io/tokenizer/word_edges.h"

#include <utf8proc.h>

namespace chainrule::io::tokenizer {
namespace {

/// The property Alphabetic holds some symbols too: circled and squared letters.
bool is_enclosed_letter(utf8proc_int32_t point) {
  return (point >= 0x24B6 && point <= 0x24E9) || (point >= 0x1F130 && point <= 0x1F149) ||
         (point >= 0x1F150 && point <= 0x1F169) || (point >= 0x1F170 && point <= 0x1F189);
}

bool is_word(utf8proc_int32_t point) {
  constexpr utf8proc_int32_t kNonJoiner = 0x200C;
  constexpr utf8proc_int32_t kJoiner = 0x200D;
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC: return true;
    default: return point == kNonJoiner || point == kJoiner || is_enclosed_letter(point);
  }
}

}  // namespace

text::Character character_before(std::string_view text, std::size_t at) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= at; ++bytes) {
    const text::Character character = text::character_at(text, at - bytes);
    if (character.bytes == bytes && (bytes > 1 || text::is_ascii(text[at - 1]))) return character;
  }
  return {text::CharacterClass::other, 1};  // no well-formed character ends here
}

std::size_t space_begin(std::string_view text, std::size_t end) {
  while (end > 0) {
    const text::Character before = character_before(text, end);
    if (before.kind != text::CharacterClass::space) break;
    end -= before.bytes;
  }
  return end;
}

std::size_t space_end(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const text::Character next = text::character_at(text, begin);
    if (next.kind != text::CharacterClass::space) break;
    begin += next.bytes;
  }
  return begin;
}

bool is_word_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  utf8proc_int32_t point = 0;
  const utf8proc_ssize_t bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                                  static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  return bytes > 0 && is_word(point);
}

bool is_word_before(std::string_view text, std::size_t at) {
  return at > 0 && is_word_at(text.substr(0, at), at - character_before(text, at).bytes);
}

}  // namespace chainrule::io::tokenizer
