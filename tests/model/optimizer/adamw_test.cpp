#include "model/optimizer/adamw.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "model/error.h"
#include "tests/support/values.h"

namespace chainrule::model::optimizer {
namespace {

using tests::normal_values;

/// The state of an optimizer over an arena, and steps on it whole or in slices.
struct Training {
  explicit Training(std::int64_t size)
      : parameters(normal_values(1, size, 1.0)),
        gradients(normal_values(2, size, 1.0)),
        first(normal_values(3, size, 0.1)),
        second(normal_values(4, size, 0.1)) {
    for (float& value : second) value *= value;
  }
  void update(std::int64_t begin, std::int64_t end) {
    const auto slice = [&](std::vector<float>& values) { return std::span(values).subspan(begin, end - begin); };
    adamw(options, 7, 0.37, begin, decay_ranges, slice(parameters), slice(gradients), slice(first), slice(second));
  }
  bool operator==(const Training& other) const {
    return parameters == other.parameters && first == other.first && second == other.second;
  }

  AdamWOptions options{.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1};
  std::vector<shape::ParameterRange> decay_ranges = {{5, 1000}, {1008, 70'001}, {70'016, 131'072}, {140'000, 140'001}};
  std::vector<float> parameters, gradients, first, second;
};

constexpr std::int64_t kSize = 3 * kOptimizerBlock + 4321;

TEST(AdamW, FollowsItsFormulaInFloat64) {
  Training training(kSize);
  const Training before = training;
  training.update(0, kSize);
  for (std::int64_t i = 0; i < kSize; ++i) {
    const double g = 0.37 * before.gradients[i];
    const double m = 0.9 * before.first[i] + 0.1 * g;
    const double v = 0.95 * before.second[i] + 0.05 * g * g;
    const double m_hat = m / (1 - std::pow(0.9, 7));
    const double v_hat = v / (1 - std::pow(0.95, 7));
    bool decays = false;
    for (const shape::ParameterRange& range : before.decay_ranges)
      decays = decays || (i >= range.begin && i < range.end);
    const double p = before.parameters[i];
    const double expected = p - 1e-2 * (m_hat / (std::sqrt(v_hat) + 1e-8) + (decays ? 0.1 * p : 0.0));
    // Rounding of the parameter, and of the moment where its terms cancel and the deviation is small.
    const double rounding = 2e-7 * (1 + std::abs(p)) + 1e-2 * 2e-7 * (std::abs(m_hat) + 0.1) / std::sqrt(v_hat);
    ASSERT_NEAR(training.parameters[i], expected, rounding) << "element " << i;
    ASSERT_NEAR(training.first[i], m, 1e-6 * (std::abs(m) + 0.1));
    ASSERT_NEAR(training.second[i], v, 1e-6 * v);
  }
  EXPECT_EQ(training.gradients, before.gradients);
}

TEST(AdamW, SlicesGiveTheBitsOfTheWhole) {
  Training whole(kSize);
  whole.update(0, kSize);
  std::mt19937_64 generator(5);
  const auto cut_by = [&](auto&& next_size) {
    Training sliced(kSize);
    for (std::int64_t begin = 0; begin < kSize;) {
      const std::int64_t end = std::min(kSize, begin + next_size());
      sliced.update(begin, end);
      begin = end;
    }
    return sliced;
  };
  EXPECT_TRUE(cut_by([] { return kOptimizerBlock; }) == whole);
  EXPECT_TRUE(cut_by([] { return std::int64_t{4097}; }) == whole);
  EXPECT_TRUE(cut_by([&] { return static_cast<std::int64_t>(1 + generator() % 999); }) == whole);
  Training less(kSize);
  less.update(0, kSize - 1);
  EXPECT_FALSE(less == whole);
}

TEST(AdamW, ThreadsDoNotChangeBits) {
  Training one(kSize);
  omp_set_num_threads(1);
  one.update(0, kSize);
  for (const int threads : {2, 3}) {
    Training several(kSize);
    omp_set_num_threads(threads);
    several.update(0, kSize);
    EXPECT_TRUE(several == one) << threads << " threads";
  }
  omp_set_num_threads(1);
}

TEST(AdamW, RefusesSpansOfDifferentSizes) {
  std::vector<float> four(4);
  std::vector<float> three(3);
  EXPECT_THROW(adamw({}, 1, 1.0, 0, {}, four, three, four, four), Error);
  EXPECT_THROW(adamw({}, 1, 1.0, 0, {}, four, four, three, four), Error);
  EXPECT_THROW(adamw({}, 1, 1.0, 0, {}, four, four, four, three), Error);
}

TEST(SumOfSquares, IsTheSumInDouble) {
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, std::int64_t{17}, kOptimizerBlock}) {
    const std::vector<float> values = normal_values(9, size, 2.0);
    double expected = 0;
    for (const float value : values) expected += static_cast<double>(value) * value;
    EXPECT_NEAR(sum_of_squares(values), expected, 1e-12 * expected);
    EXPECT_EQ(sum_of_squares(values), sum_of_squares(values));
  }
  // Squares that float32 cannot hold.
  EXPECT_DOUBLE_EQ(sum_of_squares(std::vector<float>{1e30F, 0.0F}), static_cast<double>(1e30F) * 1e30F);
  EXPECT_TRUE(std::isnan(sum_of_squares(std::vector<float>{1.0F, std::nanf(""), 2.0F})));
}

TEST(SumOfSquares, DoesNotDependOnAlignment) {
  std::vector<float> values = normal_values(10, 1000, 1.0);
  const double expected = sum_of_squares(values);
  for (std::size_t shift = 1; shift < 16; ++shift) {
    values.insert(values.begin(), 3.0F);
    EXPECT_EQ(sum_of_squares(std::span(values).subspan(shift)), expected);
  }
}

}  // namespace
}  // namespace chainrule::model::optimizer
