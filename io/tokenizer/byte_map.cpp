#include "io/tokenizer/byte_map.h"

#include <cstdint>

namespace chainrule::io::tokenizer {
namespace {

constexpr unsigned kFirstShifted = 0x100;

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

struct ByteMap {
  std::array<std::uint16_t, 256> character{};  ///< code point of a byte, below 0x144
  std::array<std::int16_t, 0x144> byte{};      ///< byte of a code point, -1 for none
  std::array<unsigned char, 256> in_order{};

  constexpr ByteMap() {
    unsigned shifted = 0;
    for (auto& each : byte) each = -1;
    for (unsigned value = 0; value < 256; ++value) {
      const unsigned point = stands_for_itself(value) ? value : kFirstShifted + shifted++;
      character[value] = static_cast<std::uint16_t>(point);
      byte[point] = static_cast<std::int16_t>(value);
    }
    unsigned place = 0;
    for (const auto value : byte) {
      if (value >= 0) in_order[place++] = static_cast<unsigned char>(value);
    }
  }
};

constexpr ByteMap kByteMap;

}  // namespace

const std::array<unsigned char, 256>& bytes_in_character_order() { return kByteMap.in_order; }

std::string spell_bytes(std::string_view bytes) {
  std::string spelling;
  spelling.reserve(bytes.size() * 2);
  for (const char each : bytes) {
    const unsigned point = kByteMap.character[static_cast<unsigned char>(each)];
    if (point < 0x80) {
      spelling += static_cast<char>(point);
    } else {  // every character is below U+0144: one or two bytes of UTF-8
      spelling += static_cast<char>(0xC0U | (point >> 6U));
      spelling += static_cast<char>(0x80U | (point & 0x3FU));
    }
  }
  return spelling;
}

std::optional<std::string> unspell_bytes(std::string_view spelling) {
  std::string bytes;
  bytes.reserve(spelling.size());
  for (std::size_t i = 0; i < spelling.size(); ++i) {
    unsigned point = static_cast<unsigned char>(spelling[i]);
    if (point >= 0x80) {
      if ((point & 0xE0U) != 0xC0U || i + 1 == spelling.size()) return std::nullopt;
      const unsigned next = static_cast<unsigned char>(spelling[++i]);
      if ((next & 0xC0U) != 0x80U) return std::nullopt;
      point = ((point & 0x1FU) << 6U) | (next & 0x3FU);
      if (point < 0x80) return std::nullopt;
    }
    if (point >= kByteMap.byte.size() || kByteMap.byte[point] < 0) return std::nullopt;
    bytes += static_cast<char>(kByteMap.byte[point]);
  }
  return bytes;
}

}  // namespace chainrule::io::tokenizer
