#include "model/optimizer/weight_average.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "model/error.h"
#include "tests/support/values.h"

namespace chainrule::model::optimizer {
namespace {

using tests::normal_values;

constexpr std::int64_t kSize = 100'003;

TEST(WeightAverage, FollowsItsFormulaInFloat64) {
  const std::vector<float> weights = normal_values(1, kSize, 1.0);
  const std::vector<float> before = normal_values(2, kSize, 1.0);
  for (const double decay : {0.5, 0.9, 0.9999}) {
    std::vector<float> average = before;
    move_average(decay, weights, average);
    for (std::int64_t i = 0; i < kSize; ++i) {
      const double exact = decay * before[i] + (1 - decay) * weights[i];
      // One rounding, and nothing lost before it where the terms cancel.
      ASSERT_NEAR(average[i], exact, 0x1p-24 * std::abs(exact) + 1e-15) << "element " << i;
    }
  }
}

TEST(WeightAverage, OfEqualWeightsStaysThem) {
  const std::vector<float> weights = normal_values(3, kSize, 1e-3);
  std::vector<float> average = weights;
  move_average(0.999, weights, average);
  EXPECT_EQ(average, weights);
}

TEST(WeightAverage, HasTheSameBitsInSlicesAndOnThreads) {
  const std::vector<float> weights = normal_values(1, kSize, 1.0);
  std::vector<float> whole = normal_values(2, kSize, 1.0);
  std::vector<float> slices = whole;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  move_average(0.9, weights, whole);
  omp_set_num_threads(3);
  for (const auto& [begin, size] : {std::pair<std::size_t, std::size_t>{0, 17}, {17, 40'000}, {40'017, 59'986}}) {
    move_average(0.9, std::span(weights).subspan(begin, size), std::span(slices).subspan(begin, size));
  }
  omp_set_num_threads(threads);
  EXPECT_EQ(slices, whole);
}

TEST(WeightAverage, RefusesSpansOfDifferentSizes) {
  std::vector<float> average(3);
  EXPECT_THROW(move_average(0.9, std::vector<float>(4), average), Error);
}

}  // namespace
}  // namespace chainrule::model::optimizer
