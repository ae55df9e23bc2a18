// The sums for the entropy: an order of their own, whatever the compiler may use.
#include "model/ops/expectation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "model/simd/exponential.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::ops::ExpectationSums;

inline __attribute__((always_inline)) ExpectationSums sums(const std::vector<float>& logits) {
  float exponentials[1024];
  const auto count = static_cast<std::int64_t>(logits.size());
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) exponentials[i] = model::simd::exponential(logits[i]);
  return model::ops::sum_expectation(logits.data(), exponentials, 0, count);
}

TEST(Expectation, IsThatOfFloat64) {
  for (const std::int64_t count : {1, 15, 16, 17, 81, 1024}) {
    double mass = 0;
    double weighted = 0;
    std::vector<float> logits = normal_values(3, count, 10);
    for (float& logit : logits) {
      logit = -std::abs(logit);
      mass += std::exp(static_cast<double>(logit));
      weighted += std::exp(static_cast<double>(logit)) * logit;
    }
    const ExpectationSums actual = sums(logits);
    EXPECT_NEAR(actual.mass, mass, 2e-6 * mass) << count;
    EXPECT_NEAR(actual.weighted, weighted, -2e-6 * weighted) << count;
  }
}

#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v3"))) ExpectationSums sums_with_avx2(const std::vector<float>& logits) {
  return sums(logits);
}
__attribute__((target("arch=x86-64-v4"))) ExpectationSums sums_with_avx512(const std::vector<float>& logits) {
  return sums(logits);
}

TEST(Expectation, HasTheSameBitsWithAvx2AndAvx512) {
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl");
  if (!has_avx512) GTEST_SKIP() << "this processor has no AVX-512";
  for (const std::int64_t count : {1, 7, 8, 15, 16, 17, 31, 81, 500, 1023, 1024}) {
    std::vector<float> logits = normal_values(4, count, 3);
    for (float& logit : logits) logit = -std::abs(logit);
    const ExpectationSums narrow = sums_with_avx2(logits);
    const ExpectationSums wide = sums_with_avx512(logits);
    EXPECT_EQ(narrow.mass, wide.mass) << count;
    EXPECT_EQ(narrow.weighted, wide.weighted) << count;
  }
}
#endif

}  // namespace
}  // namespace chainrule::tests
