#pragma once
#include <cstdint>

namespace chainrule::model::simd {

inline constexpr std::int64_t kLanes = 16;

/// The sum of term(0) ... term(count - 1) in an order that no instruction set changes: term i joins lane i mod 16, and
/// the lanes are added as a binary tree. Inlined, so that it is compiled for what its caller is compiled for.
template <typename Sum = float, typename Term>
inline __attribute__((always_inline)) Sum sum_in_lanes(std::int64_t count, const Term& term) {
  Sum lanes[kLanes] = {};
  const std::int64_t whole = count / kLanes * kLanes;
  for (std::int64_t at = 0; at < whole; at += kLanes) {
#pragma omp simd
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(at + lane);
  }
  for (std::int64_t i = whole; i < count; ++i) lanes[i - whole] += term(i);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

}  // namespace chainrule::model::simd
