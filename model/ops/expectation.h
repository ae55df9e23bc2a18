#pragma once
#include <cstdint>

#include "model/simd/lanes.h"

namespace chainrule::model::ops {

/// Of e = exp(logit - shift), shift the largest logit: the sum of e, and that of e (logit - shift).
struct ExpectationSums {
  float mass = 0;
  float weighted = 0;
};

/// Over `count` logits and their e. An e is never below exp(-87) (simd/exponential.h): what it is multiplied with must
/// stop there too, or a logit of -1e38, let alone -inf, would weigh. Inlined, so that it is compiled for what its
/// caller is compiled for.
inline __attribute__((always_inline)) ExpectationSums sum_expectation(const float* logits, const float* exponentials,
                                                                      float shift, std::int64_t count) {
  return {simd::sum_in_lanes(count, [=](std::int64_t i) { return exponentials[i]; }),
          simd::sum_in_lanes(count, [=](std::int64_t i) {
            const float below = logits[i] - shift;
            return exponentials[i] * (below < -87.0F ? -87.0F : below);
          })};
}

}  // namespace chainrule::model::ops
