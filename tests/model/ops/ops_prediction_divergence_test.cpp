// How far two models' predictions are from each other: both implementations of Ops against float64.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "model/ops/prediction_divergence.h"
#include "model/simd/exponential64.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::ops::OwnedBaselineScores;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kGap = 5;

/// Rows of logits of a model and a baseline that differs by `apart`; between rows lies what no sum may take in.
struct Pair {
  Pair(std::int64_t row_count, std::int64_t vocabulary_size, double deviation, double apart)
      : rows(row_count),
        vocabulary(vocabulary_size),
        targets(rows, 0),
        logits(rows * stride(), kNaN),
        baseline(rows * stride(), kNaN) {
    const std::vector<float> values = normal_values(2, rows * vocabulary, deviation);
    const std::vector<float> noise = normal_values(3, rows * vocabulary, apart);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t v = 0; v < vocabulary; ++v) {
        row(r)[v] = values[r * vocabulary + v] + static_cast<float>(r % 3 - 1) * 300.0F;
        other(r)[v] = values[r * vocabulary + v] + noise[r * vocabulary + v];
      }
    }
  }
  std::int64_t stride() const { return vocabulary + kGap; }
  float* row(std::int64_t r) { return logits.data() + r * stride(); }
  float* other(std::int64_t r) { return baseline.data() + r * stride(); }

  OwnedBaselineScores compared_by(model::ops::Ops& ops) const {
    OwnedBaselineScores scores;
    scores.kl.assign(rows, -1);
    scores.same_top.assign(rows, 77);
    ops.run(model::ops::ComparePredictions{.rows = rows,
                                           .vocabulary = vocabulary,
                                           .logits = logits.data(),
                                           .baseline_logits = baseline.data(),
                                           .stride = stride(),
                                           .targets = targets.data(),
                                           .divergences = {scores.kl, scores.same_top}});
    return scores;
  }

  std::int64_t rows;
  std::int64_t vocabulary;
  std::vector<std::uint32_t> targets;
  std::vector<float> logits;
  std::vector<float> baseline;
};

/// By definition: probabilities by long double, and the sum of b ln(b / p).
double expected_kl(const float* row, const float* other, std::int64_t vocabulary) {
  const auto probabilities = [vocabulary](const float* logits) {
    const long double largest = *std::max_element(logits, logits + vocabulary);
    std::vector<long double> p(vocabulary);
    long double sum = 0;
    for (std::int64_t v = 0; v < vocabulary; ++v) sum += p[v] = std::exp(static_cast<long double>(logits[v]) - largest);
    for (long double& each : p) each /= sum;
    return p;
  };
  const std::vector<long double> p = probabilities(row);
  const std::vector<long double> b = probabilities(other);
  long double kl = 0;
  for (std::int64_t v = 0; v < vocabulary; ++v) {
    if (b[v] > 0) kl += b[v] * std::log(b[v] / p[v]);
  }
  return static_cast<double>(kl);
}

struct Shape {
  std::int64_t rows;
  std::int64_t vocabulary;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.vocabulary; }

class PredictionDivergenceOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  Pair pair(double deviation, double apart) const {
    return {std::get<1>(GetParam()).rows, std::get<1>(GetParam()).vocabulary, deviation, apart};
  }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
};

INSTANTIATE_TEST_SUITE_P(Shapes, PredictionDivergenceOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(Shape{4, 1}, Shape{9, 2}, Shape{17, 11}, Shape{129, 48},
                                                          Shape{32, 1025}, Shape{20, 4111}, Shape{5, 50257})),
                         CaseName());

TEST_P(PredictionDivergenceOps, AreThoseOfTheDefinition) {
  for (const double deviation : {0.0, 1.0, 4.0, 30.0}) {
    for (const double apart : {1e-4, 0.1, 3.0}) {
      Pair both = pair(deviation, apart);
      both.targets[both.rows / 2] = model::ops::kNotScored;
      const OwnedBaselineScores scores = both.compared_by(*ops_);
      for (std::int64_t r = 0; r < both.rows; ++r) {
        if (both.targets[r] == model::ops::kNotScored) {
          ASSERT_EQ(scores.kl[r], 0);
          ASSERT_EQ(scores.same_top[r], 0);
          continue;
        }
        const double expected = expected_kl(both.row(r), both.other(r), both.vocabulary);
        ASSERT_NEAR(scores.kl[r], expected, 1e-13 + 1e-12 * expected) << "row " << r << ", apart " << apart;
        const auto top = [&](const float* logits) {
          return std::max_element(logits, logits + both.vocabulary) - logits;
        };
        ASSERT_EQ(scores.same_top[r], top(both.row(r)) == top(both.other(r))) << "row " << r;
      }
    }
  }
}

TEST_P(PredictionDivergenceOps, OfEqualLogitsIsExactlyZero) {
  Pair both = pair(4, 0);
  both.baseline = both.logits;
  const OwnedBaselineScores scores = both.compared_by(*ops_);
  EXPECT_EQ(scores.kl, std::vector<double>(both.rows, 0.0));
  EXPECT_EQ(scores.same_top, std::vector<std::uint8_t>(both.rows, 1));
}

TEST_P(PredictionDivergenceOps, OfEqualTopsTheFirstCounts) {
  Pair both = pair(1, 0);
  if (both.vocabulary < 2) return;
  for (std::int64_t r = 0; r < both.rows; ++r) {
    both.row(r)[0] = both.row(r)[both.vocabulary - 1] = 1000;
    both.other(r)[0] = both.other(r)[both.vocabulary - 1] = 500;
    if (r % 2 == 1) both.other(r)[0] = 499;
  }
  const OwnedBaselineScores scores = both.compared_by(*ops_);
  for (std::int64_t r = 0; r < both.rows; ++r) ASSERT_EQ(scores.same_top[r], r % 2 == 0) << "row " << r;
}

TEST_P(PredictionDivergenceOps, AnImpossibleTokenOfBothAddsNothing) {
  Pair both = pair(2, 0.5);
  for (std::int64_t r = 0; r < both.rows; ++r) {
    for (std::int64_t v = 1; v < both.vocabulary; v += 2) both.row(r)[v] = both.other(r)[v] = -kInfinity;
    if (both.vocabulary > 2) both.other(r)[2] = -kInfinity;  // of the baseline alone
  }
  const OwnedBaselineScores scores = both.compared_by(*ops_);
  for (std::int64_t r = 0; r < both.rows; ++r) {
    const double expected = expected_kl(both.row(r), both.other(r), both.vocabulary);
    ASSERT_NEAR(scores.kl[r], expected, 1e-13 + 1e-12 * expected) << "row " << r;
  }
}

TEST_P(PredictionDivergenceOps, WhatTheModelExcludesIsInfinitelyFar) {
  Pair both = pair(2, 0.5);
  if (both.vocabulary < 2) return;
  for (std::int64_t r = 0; r < both.rows; ++r) both.row(r)[r % 2] = -kInfinity;
  for (const double kl : both.compared_by(*ops_).kl) EXPECT_EQ(kl, std::numeric_limits<double>::infinity());
}

TEST_P(PredictionDivergenceOps, ANaNOfEitherLeavesNoResult) {
  for (const float bad : {kNaN, kInfinity}) {
    for (const std::int64_t place : {0, 1, 2}) {
      for (const bool in_baseline : {false, true}) {
        Pair broken = pair(4, 0.5);
        const std::int64_t at = place * (broken.vocabulary - 1) / 2;
        for (std::int64_t r = 0; r < broken.rows; ++r) (in_baseline ? broken.other(r) : broken.row(r))[at] = bad;
        const OwnedBaselineScores scores = broken.compared_by(*ops_);
        for (std::int64_t r = 0; r < broken.rows; ++r) {
          ASSERT_TRUE(std::isnan(scores.kl[r])) << "row " << r << ", logit " << at << " is " << bad;
          ASSERT_EQ(scores.same_top[r], 0);
        }
      }
    }
  }
}

TEST(PredictionDivergenceThreads, AnyNumberOfThemGivesTheSameBits) {
  const std::unique_ptr<model::ops::Ops> ops = kFastOps.make();
  const Pair both(1024, 2111, 4, 0.1);
  const OwnedBaselineScores alone = both.compared_by(*ops);
  for (const int threads : {2, 3, 5}) {
    omp_set_num_threads(threads);
    const OwnedBaselineScores together = both.compared_by(*ops);
    omp_set_num_threads(1);
    EXPECT_TRUE(together.kl == alone.kl) << threads;
    EXPECT_TRUE(together.same_top == alone.same_top) << threads;
  }
}

TEST(Exponential64, IsThatOfTheLibrary) {
  for (double x = 0; x > -708; x -= 0.0137) {
    const double expected = x < -700 ? 0.0 : std::exp(x);
    ASSERT_NEAR(model::simd::exponential_of_negative(x), expected, 4e-16 * expected) << x;
  }
  EXPECT_EQ(model::simd::exponential_of_negative(0.0), 1.0);
  EXPECT_EQ(model::simd::exponential_of_negative(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_TRUE(std::isnan(model::simd::exponential_of_negative(std::nan(""))));
}

}  // namespace
}  // namespace chainrule::tests
