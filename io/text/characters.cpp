#include "io/text/characters.h"

#include <utf8proc.h>

namespace chainrule::io::text {
namespace {

/// Of the control characters, these have the property White_Space.
bool is_space_among_controls(utf8proc_int32_t point) { return (point >= 0x09 && point <= 0x0D) || point == 0x85; }

CharacterClass class_of(utf8proc_int32_t point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CharacterClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CharacterClass::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return CharacterClass::space;
    case UTF8PROC_CATEGORY_CC: return is_space_among_controls(point) ? CharacterClass::space : CharacterClass::other;
    default: return CharacterClass::other;
  }
}

/// Reads the code point at text[at]; returns its bytes, 0 where they are not well-formed UTF-8.
std::uint8_t decode(std::string_view text, std::size_t at, utf8proc_int32_t& point) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
  const utf8proc_ssize_t length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  return length > 0 ? static_cast<std::uint8_t>(length) : std::uint8_t{0};
}

}  // namespace

Character long_character_at(std::string_view text, std::size_t at) {
  utf8proc_int32_t point = 0;
  const std::uint8_t bytes = decode(text, at, point);
  if (bytes == 0) return {CharacterClass::other, 1};
  return {class_of(point), bytes};
}

const std::vector<CodePoints>& white_space() {
  static const std::vector<CodePoints> ranges = [] {
    std::vector<CodePoints> found;
    for (utf8proc_int32_t point = 0; point <= 0xFFFF; ++point) {  // beyond the first plane there is none
      if (class_of(point) != CharacterClass::space) continue;
      const auto space = static_cast<std::uint32_t>(point);
      if (found.empty() || found.back().last + 1 != space) found.push_back({space, space});
      found.back().last = space;
    }
    return found;
  }();
  return ranges;
}

std::string with_invalid_bytes_masked(std::string_view text) {
  std::string masked(text);
  for (std::size_t at = 0; at < text.size();) {
    if (is_ascii(text[at])) {
      ++at;
      continue;
    }
    utf8proc_int32_t point = 0;
    const std::uint8_t bytes = decode(text, at, point);
    if (bytes == 0) masked[at] = '\1';
    at += bytes == 0 ? 1U : bytes;
  }
  return masked;
}

}  // namespace chainrule::io::text
