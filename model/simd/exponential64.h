#pragma once
#include <bit>
#include <cstdint>

namespace chainrule::model::simd {

/// e^x for x at most 0 to about 2 units in the last place, in a form that compilers vectorise: x is split as
/// n ln 2 + r with |r| <= ln 2 / 2, and e^r is its Taylor polynomial of degree 13. 0 below -700; NaN stays NaN.
inline __attribute__((always_inline)) double exponential_of_negative(double x) {
  const double clamped = x < -700.0 ? -700.0 : x;
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, kept in the low bits
  const double shifted = clamped * 1.4426950408889634 + kRound;
  const double n = shifted - kRound;
  const double r = (clamped - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double p = 1.6059043836821613e-10;
  p = p * r + 2.08767569878681e-09;
  p = p * r + 2.505210838544172e-08;
  p = p * r + 2.755731922398589e-07;
  p = p * r + 2.7557319223985893e-06;
  p = p * r + 2.48015873015873e-05;
  p = p * r + 1.984126984126984e-04;
  p = p * r + 1.3888888888888889e-03;
  p = p * r + 8.333333333333333e-03;
  p = p * r + 4.1666666666666664e-02;
  p = p * r + 1.6666666666666666e-01;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const std::int64_t exponent = (std::bit_cast<std::int64_t>(shifted) << 52) + 0x3FF0000000000000;
  return x < -700.0 ? 0.0 : p * std::bit_cast<double>(exponent);
}

}  // namespace chainrule::model::simd
