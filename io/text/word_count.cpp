#include "io/text/word_count.h"

namespace chainrule::io::text {
namespace {

/// Bytes of the white-space character that rest begins with; 0 where it begins with another. White space is what
/// Python's str.isspace says: categories Zs, and bidirectional types WS, B and S.
std::size_t white_space_bytes(std::string_view rest) {
  const auto at = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U; };
  const unsigned first = at(0);
  if (first < 0x80) return (first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x20) ? 1 : 0;
  if (first == 0xC2) return at(1) == 0x85 || at(1) == 0xA0 ? 2 : 0;  // U+0085, U+00A0
  const unsigned rest_of_three = (at(1) << 8U) | at(2);
  if (first == 0xE1) return rest_of_three == 0x9A80 ? 3 : 0;  // U+1680
  if (first == 0xE3) return rest_of_three == 0x8080 ? 3 : 0;  // U+3000
  if (first != 0xE2) return 0;
  const bool spaces = rest_of_three >= 0x8080 && rest_of_three <= 0x808A;         // U+2000 to U+200A
  const bool separators = rest_of_three == 0x80A8 || rest_of_three == 0x80A9      // U+2028, U+2029
                          || rest_of_three == 0x80AF || rest_of_three == 0x819F;  // U+202F, U+205F
  return spaces || separators ? 3 : 0;
}

}  // namespace

std::uint64_t count_words(std::string_view text) {
  std::uint64_t words = 1;
  bool in_run = false;
  while (!text.empty()) {
    const std::size_t bytes = white_space_bytes(text);
    if (bytes != 0 && !in_run) ++words;
    in_run = bytes != 0;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return words;
}

}  // namespace chainrule::io::text
