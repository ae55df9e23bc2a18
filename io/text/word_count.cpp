#include "io/text/word_count.h"

#include <algorithm>
#include <array>
#include <utility>

#include "io/text/characters.h"

namespace chainrule::io::text {
namespace {

/// The first byte of a code point in UTF-8.
unsigned char lead_byte(std::uint32_t point) {
  if (point < 0x80) return static_cast<unsigned char>(point);
  if (point < 0x800) return static_cast<unsigned char>(0xC0U | (point >> 6U));
  if (point < 0x10000) return static_cast<unsigned char>(0xE0U | (point >> 12U));
  return static_cast<unsigned char>(0xF0U | (point >> 18U));
}

/// Which bytes white space may begin with: most characters need no closer look.
const std::array<bool, 256>& lead_bytes_of_white_space() {
  static const std::array<bool, 256> leads = [] {
    std::array<bool, 256> found{};
    for (const CodePoints& range : white_space()) {
      for (std::uint32_t point = range.first; point <= range.last; ++point) found[lead_byte(point)] = true;
    }
    return found;
  }();
  return leads;
}

/// Bytes of the white space that begins at text[at], 0 where none does. What Python's str.isspace says: the property
/// White_Space, and the four separators of information among the control characters.
std::size_t white_space_bytes(std::string_view text, std::size_t at, const std::array<bool, 256>& leads) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first >= 0x1C && first <= 0x1F) return 1;
  if (!leads[first]) return 0;
  const Character character = character_at(text, at);
  return character.kind == CharacterClass::space ? character.bytes : 0U;
}

/// Where text can be cut so that no character of several bytes is: at most 3 bytes before its end.
std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0xC0) return text.size() - back;
    if (byte < 0x80) break;
  }
  return text.size();
}

}  // namespace

std::uint64_t count_words(std::string_view text) {
  WordCounter counter;
  counter.count(text);
  return counter.words();
}

void WordCounter::count(std::string_view text) {
  const std::array<bool, 256>& leads = lead_bytes_of_white_space();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = white_space_bytes(text, at, leads);
    if (bytes != 0 && !in_run_) ++words_;
    in_run_ = bytes != 0;
    at += bytes == 0 ? 1U : bytes;
  }
}

void WordCounter::add(std::string_view part) {
  rest_ += part;
  const std::size_t end = whole_characters(rest_);
  count(std::string_view(rest_).substr(0, end));
  rest_.erase(0, end);
}

std::uint64_t WordCounter::words() {
  count(std::exchange(rest_, {}));
  return words_;
}

}  // namespace chainrule::io::text
