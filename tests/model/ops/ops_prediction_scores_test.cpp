// Scores of predictions: both implementations of Ops against float64.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "model/ops/cross_entropy.h"
#include "model/ops/prediction_scores.h"
#include "model/sampling/sampler.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

using model::ops::OwnedPredictionScores;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kGap = 5;

/// Rows of logits with their targets; between rows lies what no sum may take in.
struct Rows {
  Rows(std::int64_t row_count, std::int64_t vocabulary_size, double deviation = 4)
      : rows(row_count),
        vocabulary(vocabulary_size),
        targets(random_ids(1, rows, vocabulary)),
        logits(rows * stride(), kNaN) {
    const std::vector<float> values = normal_values(2, rows * vocabulary, deviation);
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(values.data() + r * vocabulary, vocabulary, row(r));
  }
  std::int64_t stride() const { return vocabulary + kGap; }
  float* row(std::int64_t r) { return logits.data() + r * stride(); }
  const float* row(std::int64_t r) const { return logits.data() + r * stride(); }

  OwnedPredictionScores scored_by(model::ops::Ops& ops) const {
    OwnedPredictionScores scores(rows);
    scores.nll.assign(rows, -1);
    scores.entropy.assign(rows, -1);
    scores.top_probability.assign(rows, -1);
    scores.rank.assign(rows, 12345);
    ops.run(model::ops::ScorePredictions{.rows = rows,
                                         .vocabulary = vocabulary,
                                         .logits = logits.data(),
                                         .stride = stride(),
                                         .targets = targets.data(),
                                         .scores = scores.view()});
    return scores;
  }
  std::vector<double> nll_by(model::ops::Ops& ops) const {
    std::vector<double> nll(rows);
    ops.run(model::ops::CrossEntropyForward{.rows = rows,
                                            .vocabulary = vocabulary,
                                            .logits = logits.data(),
                                            .stride = stride(),
                                            .targets = targets.data(),
                                            .nll = nll.data()});
    return nll;
  }

  std::int64_t rows;
  std::int64_t vocabulary;
  std::vector<std::uint32_t> targets;
  std::vector<float> logits;
};

struct Expected {
  double entropy = 0;
  double top_probability = 0;
  std::uint32_t rank = 0;
};

/// By definition: p from float64 logits, -sum p log p term by term, and the target's place among all ids sorted.
Expected expected_of(const Rows& of, std::int64_t r) {
  const float* row = of.row(r);
  std::vector<double> logits(row, row + of.vocabulary);
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  Expected expected;
  for (const double logit : logits) {
    const double p = std::exp(logit - largest) / sum;
    if (p > 0) expected.entropy -= p * std::log(p);
    expected.top_probability = std::max(expected.top_probability, p);
  }
  std::vector<std::uint32_t> ids(logits.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i);
  std::ranges::stable_sort(ids, [&](std::uint32_t a, std::uint32_t b) { return logits[a] > logits[b]; });
  expected.rank = static_cast<std::uint32_t>(std::ranges::find(ids, of.targets[r]) - ids.begin());
  return expected;
}

void expect_agrees(const Rows& rows, model::ops::Ops& ops) {
  const OwnedPredictionScores scores = rows.scored_by(ops);
  EXPECT_EQ(scores.nll, rows.nll_by(ops));
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    ASSERT_TRUE(std::isfinite(scores.nll[r])) << "row " << r;
    if (rows.targets[r] == model::ops::kNotScored) {
      ASSERT_EQ(scores.entropy[r], 0) << "row " << r;
      ASSERT_EQ(scores.top_probability[r], 0) << "row " << r;
      ASSERT_EQ(scores.rank[r], 0U) << "row " << r;
      continue;
    }
    const Expected expected = expected_of(rows, r);
    ASSERT_NEAR(scores.entropy[r], expected.entropy, 1e-6 * (1 + expected.entropy)) << "row " << r;
    ASSERT_NEAR(scores.top_probability[r], expected.top_probability, 1e-6 * expected.top_probability) << "row " << r;
    ASSERT_EQ(scores.rank[r], expected.rank) << "row " << r;
  }
}

struct Shape {
  std::int64_t rows;
  std::int64_t vocabulary;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.vocabulary; }

class PredictionScoresOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  Rows rows(double deviation = 4) const {
    return {std::get<1>(GetParam()).rows, std::get<1>(GetParam()).vocabulary, deviation};
  }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
};

INSTANTIATE_TEST_SUITE_P(Shapes, PredictionScoresOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(Shape{4, 1}, Shape{9, 2}, Shape{17, 11}, Shape{513, 48},
                                                          Shape{64, 1025}, Shape{40, 4111}, Shape{5, 50257})),
                         CaseName());

TEST_P(PredictionScoresOps, AreThoseOfTheDefinition) {
  for (const double deviation : {0.0, 1e-3, 1.0, 4.0, 30.0}) {
    Rows shifted = rows(deviation);
    for (std::int64_t r = 0; r < shifted.rows; ++r) {
      for (std::int64_t v = 0; v < shifted.vocabulary; ++v) shifted.row(r)[v] += static_cast<float>(r % 3 - 1) * 300.0F;
    }
    shifted.targets[shifted.rows / 2] = model::ops::kNotScored;
    expect_agrees(shifted, *ops_);
  }
}

TEST_P(PredictionScoresOps, OfEqualLogitsTheSmallerIdIsLikelier) {
  Rows tied = rows();
  for (float& logit : tied.logits) logit = std::round(logit / 4);  // a few distinct values, both zeros among them
  for (std::int64_t r = 0; r < tied.rows; ++r) tied.targets[r] = static_cast<std::uint32_t>(r % tied.vocabulary);
  tied.targets.back() = static_cast<std::uint32_t>(tied.vocabulary - 1);
  expect_agrees(tied, *ops_);
}

TEST_P(PredictionScoresOps, RankZeroIsWhatGreedyDecodingGives) {
  Rows tied = rows();
  for (float& logit : tied.logits) logit = std::round(logit / 8);
  model::sampling::Sampler greedy({.temperature = 0}, tied.vocabulary);
  for (std::int64_t r = 0; r < tied.rows; ++r) {
    tied.targets[r] = *greedy.sample({tied.row(r), static_cast<std::size_t>(tied.vocabulary)}, {}, 0.5);
  }
  EXPECT_EQ(tied.scored_by(*ops_).rank, std::vector<std::uint32_t>(tied.rows, 0));
  // Any other token is not what greedy decoding gives.
  for (std::uint32_t& target : tied.targets) target = (target + 1) % static_cast<std::uint32_t>(tied.vocabulary);
  if (tied.vocabulary == 1) return;
  for (const std::uint32_t rank : tied.scored_by(*ops_).rank) EXPECT_GT(rank, 0U);
}

TEST_P(PredictionScoresOps, LogitsMayBeAsFarApartAsFloatsCan) {
  Rows far = rows();
  const float values[] = {-3e38F, 3e38F, -1e30F, 0.0F, 1e30F, -1e5F, 88.0F, -87.5F, 1e-38F};
  for (std::int64_t r = 0; r < far.rows; ++r) {
    for (std::int64_t v = 0; v < far.vocabulary; v += 1 + r % 4) far.row(r)[v] = values[(v + r) % 9];
  }
  expect_agrees(far, *ops_);
}

TEST_P(PredictionScoresOps, AnImpossibleTokenHasProbabilityZero) {
  Rows impossible = rows();
  for (std::int64_t r = 0; r < impossible.rows; ++r) {
    for (std::int64_t v = 0; v < impossible.vocabulary; v += 1 + r % 3) {
      if (v != impossible.targets[r]) impossible.row(r)[v] = -kInfinity;
    }
  }
  expect_agrees(impossible, *ops_);
}

TEST_P(PredictionScoresOps, ANonFiniteNllComesWithNoOtherResult) {
  for (const float bad : {kNaN, kInfinity, -kInfinity}) {
    for (const std::int64_t place : {0, 1, 2}) {
      Rows broken = rows();
      const std::int64_t at = place * (broken.vocabulary - 1) / 2;
      for (std::int64_t r = 0; r < broken.rows; ++r) {
        broken.row(r)[at] = bad;
        // Minus infinity is a result unless it is the target's.
        if (bad == -kInfinity) broken.targets[r] = static_cast<std::uint32_t>(at);
      }
      const OwnedPredictionScores scores = broken.scored_by(*ops_);
      for (std::int64_t r = 0; r < broken.rows; ++r) {
        ASSERT_FALSE(std::isfinite(scores.nll[r])) << "row " << r << ", logit " << at << " is " << bad;
        ASSERT_TRUE(std::isnan(scores.entropy[r])) << "row " << r << ", logit " << at << " is " << bad;
        ASSERT_TRUE(std::isnan(scores.top_probability[r])) << "row " << r << ", logit " << at << " is " << bad;
        ASSERT_EQ(scores.rank[r], static_cast<std::uint32_t>(broken.vocabulary));
      }
    }
  }
}

/// Of enough rows that threads work on some at the same time.
TEST(PredictionScoresThreads, AnyNumberOfThemGivesTheSameBits) {
  const std::unique_ptr<model::ops::Ops> ops = kFastOps.make();
  const Rows rows(1024, 2111);
  const OwnedPredictionScores alone = rows.scored_by(*ops);
  for (const int threads : {2, 3, 5, 2, 3, 5, 2, 3, 5}) {
    omp_set_num_threads(threads);
    const OwnedPredictionScores together = rows.scored_by(*ops);
    omp_set_num_threads(1);
    EXPECT_TRUE(together.nll == alone.nll) << threads;
    EXPECT_TRUE(together.entropy == alone.entropy) << threads;
    EXPECT_TRUE(together.top_probability == alone.top_probability) << threads;
    EXPECT_TRUE(together.rank == alone.rank) << threads;
  }
}

}  // namespace
}  // namespace chainrule::tests
