#pragma once
#include <bit>
#include <cstdint>

namespace chainrule::io::tensors {

/// The nearest bfloat16, the even one of two; a NaN stays one, and keeps what of its payload fits.
constexpr std::uint16_t nearest_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  constexpr std::uint32_t kQuiet = 0x0040;
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(bits >> 16U | kQuiet);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

}  // namespace chainrule::io::tensors
