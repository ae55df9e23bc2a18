#pragma once
#include <bit>
#include <cstdint>

namespace chainrule::model::weights {

/// IEEE binary16 -> float32, exact, in a form that compilers vectorise: the exponent is moved to its place and
/// corrected by a product, which also makes subnormal numbers normal.
inline __attribute__((always_inline)) float half_to_float(std::uint16_t half) {
  const std::uint32_t magnitude = (half & 0x7FFFU) << 13U;
  const std::uint32_t corrected = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
  // Infinity and NaN keep the largest exponent.
  const std::uint32_t special = (half & 0x7C00U) == 0x7C00U ? 0x7F800000U | magnitude : corrected;
  return std::bit_cast<float>(special | (half & 0x8000U) << 16U);
}

}  // namespace chainrule::model::weights
