#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::io::text {

/// What GPT-2's pattern asks of a character.
enum class CharacterClass : std::uint8_t { other, letter, number, space };

/// One character of a text.
struct Character {
  CharacterClass kind;
  std::uint8_t bytes;  ///< 1 to 4
};

/// The character that begins at text[at] (at < text.size()). Letters are the categories L*, numbers N*, by utf8proc's
/// version of Unicode; spaces are the property White_Space. A byte that is no part of well-formed UTF-8 counts as one
/// character of class other, as a control character does.
inline Character character_at(std::string_view text, std::size_t at);

inline bool is_ascii(char each) { return static_cast<unsigned char>(each) < 0x80; }

inline constexpr std::uint32_t kLastCodePoint = 0x10FFFF;

/// Consecutive code points, both ends included.
struct CodePoints {
  std::uint32_t first;
  std::uint32_t last;
};

/// Every code point of the property White_Space, in order, as the fewest ranges.
const std::vector<CodePoints>& white_space();

/// text with every byte that is no part of well-formed UTF-8 replaced by U+0001, a control character that is of class
/// other as well: the same length, now valid UTF-8, for a regular expression to match.
std::string with_invalid_bytes_masked(std::string_view text);

/// Classes of the ASCII characters.
inline constexpr std::array<CharacterClass, 128> kAsciiClasses = [] {
  std::array<CharacterClass, 128> classes{};
  for (unsigned byte = 0; byte < classes.size(); ++byte) {
    const unsigned lower = byte | 0x20U;
    if (lower >= 'a' && lower <= 'z') classes[byte] = CharacterClass::letter;
    if (byte >= '0' && byte <= '9') classes[byte] = CharacterClass::number;
    if ((byte >= 9 && byte <= 13) || byte == ' ') classes[byte] = CharacterClass::space;
  }
  return classes;
}();

/// character_at for a byte that is not ASCII.
Character long_character_at(std::string_view text, std::size_t at);

inline Character character_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  return first < kAsciiClasses.size() ? Character{kAsciiClasses[first], 1} : long_character_at(text, at);
}

}  // namespace chainrule::io::text
