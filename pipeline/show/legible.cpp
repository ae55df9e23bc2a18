#include "pipeline/show/legible.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace chainrule::pipeline::show {
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

/// legible() character by character.
std::vector<std::string> legible_parts(std::string_view bytes, Spaces spaces) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < bytes.size();) {
    const Decoded next = decode(bytes.substr(at));
    const bool bare_mark = at == 0 && next.character >= 0 && is_mark(next.character);
    parts.push_back((bare_mark ? "◌" : "") + shown(next.character, bytes.substr(at, next.bytes), spaces));
    at += next.bytes;
  }
  return parts;
}

template <class Iterator>
std::string joined(Iterator begin, Iterator end) {
  std::string text;
  for (; begin != end; ++begin) text += *begin;
  return text;
}

/// The first of the parts from begin on that no longer fits where `…` is to stand too; end where all fit.
template <class Iterator>
Iterator cut(Iterator begin, Iterator end, std::size_t columns) {
  std::size_t taken = 0;
  Iterator fits = end;  // the last place to cut at
  for (Iterator part = begin; part != end; ++part) {
    const std::size_t width = columns_of(*part);
    if (fits == end && taken + width > columns - 1) fits = part;
    taken += width;
  }
  return taken <= columns ? end : fits;
}

}  // namespace

std::string legible(std::string_view bytes, Spaces spaces) {
  const std::vector<std::string> parts = legible_parts(bytes, spaces);
  return joined(parts.begin(), parts.end());
}

std::string legible_beginning(std::string_view bytes, std::size_t columns, Spaces spaces) {
  const std::vector<std::string> parts = legible_parts(bytes, spaces);
  const auto end = cut(parts.begin(), parts.end(), columns);
  return joined(parts.begin(), end) + (end == parts.end() ? "" : "…");
}

std::string legible_end(std::string_view bytes, std::size_t columns, Spaces spaces) {
  const std::vector<std::string> parts = legible_parts(bytes, spaces);
  const auto cut_at = cut(parts.rbegin(), parts.rend(), columns);
  auto begin = cut_at.base();
  if (cut_at == parts.rend()) return joined(begin, parts.end());
  while (begin != parts.end() && columns_of(*begin) == 0) ++begin;  // marks on what was cut off
  return "…" + joined(begin, parts.end());
}

std::string without_controls(std::string_view text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text.substr(at));
    const std::string_view bytes = text.substr(at, next.bytes);
    const bool control = next.character >= 0 && next.character != '\n' && next.character != '\t' &&
                         utf8proc_category(next.character) == UTF8PROC_CATEGORY_CC;
    safe += control ? shown(next.character, bytes, Spaces::kept) : valid_utf8(bytes);
    at += next.bytes;
  }
  return safe;
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

}  // namespace chainrule::pipeline::show
