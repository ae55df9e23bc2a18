#include "pipeline/legible.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>

namespace chainrule::pipeline {
namespace {

/// One character, or one byte that is none (character < 0), at the start of text.
struct Decoded {
  std::int32_t character = -1;
  std::size_t bytes = 1;
};

Decoded decode(std::string_view text) {
  utf8proc_int32_t character = -1;
  const utf8proc_ssize_t bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                  static_cast<utf8proc_ssize_t>(text.size()), &character);
  return bytes > 0 ? Decoded{character, static_cast<std::size_t>(bytes)} : Decoded{};
}

std::string shown(std::int32_t character, std::string_view bytes, Spaces spaces) {
  switch (character) {
    case -1: return fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    case ' ': return spaces == Spaces::kept ? " " : "␣";
    case '\n': return "⏎";
    case '\t': return "⇥";
    case '\r': return "␍";
    default: break;
  }
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return fmt::format("\\u{{{:x}}}", character);
    default: return std::string(bytes);
  }
}

bool is_mark(std::int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_MC;
}

}  // namespace

std::string legible(std::string_view bytes, Spaces spaces) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    const Decoded next = decode(bytes.substr(at));
    if (at == 0 && next.character >= 0 && is_mark(next.character)) text += "◌";
    text += shown(next.character, bytes.substr(at, next.bytes), spaces);
    at += next.bytes;
  }
  return text;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text.substr(at));
    columns += next.character < 0 ? 1 : static_cast<std::size_t>(std::max(0, utf8proc_charwidth(next.character)));
    at += next.bytes;
  }
  return columns;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text.substr(at));
    valid += next.character < 0 ? "\xEF\xBF\xBD" : std::string(text.substr(at, next.bytes));
    at += next.bytes;
  }
  return valid;
}

std::size_t whole_characters(std::string_view text) {
  // A character has at most four bytes: look for a lead byte among the last three that wants more than there are.
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const std::size_t wanted = byte >= 0xF0U && byte <= 0xF4U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC2U ? 2 : 1;
    return byte <= 0xF4U && wanted > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace chainrule::pipeline
