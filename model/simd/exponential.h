#pragma once
#include <bit>
#include <cstdint>

namespace chainrule::model::simd {

/// e^x to about 2 units in the last place, in a form that compilers vectorise: x is clamped to [-87, 88], split as
/// n ln 2 + r with |r| <= ln 2 / 2, and e^r is its Taylor polynomial of degree 7.
inline __attribute__((always_inline)) float exponential(float x) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.98412698e-4F;
  p = p * r + 1.38888889e-3F;
  p = p * r + 8.33333333e-3F;
  p = p * r + 4.16666667e-2F;
  p = p * r + 1.66666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const std::int32_t exponent = (std::bit_cast<std::int32_t>(shifted) << 23) + 0x3F800000;
  return p * std::bit_cast<float>(exponent);
}

}  // namespace chainrule::model::simd
