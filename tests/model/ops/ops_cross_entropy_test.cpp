// Cross-entropy: both implementations of Ops against float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "model/ops/cross_entropy.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_layers.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

constexpr std::int64_t kGap = 5;
constexpr float kUntouched = 12345.0F;

struct Shape {
  std::int64_t rows;
  std::int64_t vocabulary;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.vocabulary; }

class CrossEntropyOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  void SetUp() override {
    targets_ = random_ids(1, rows(), vocabulary());
    if (rows() > 1) targets_[rows() / 2] = model::ops::kNotScored;
    const std::vector<float> values = normal_values(2, rows() * vocabulary(), 4.0);
    for (std::int64_t r = 0; r < rows(); ++r) {
      for (std::int64_t v = 0; v < vocabulary(); ++v) {
        // A common shift of hundreds overflows exp unless the maximum is taken out first.
        logits_[r * stride() + v] = values[r * vocabulary() + v] + static_cast<float>(r % 3 - 1) * 300.0F;
      }
    }
  }
  std::int64_t rows() const { return std::get<1>(GetParam()).rows; }
  std::int64_t vocabulary() const { return std::get<1>(GetParam()).vocabulary; }
  std::int64_t stride() const { return vocabulary() + kGap; }
  double tolerance() const { return std::get<0>(GetParam()).tolerance; }

  oracle::Matrix probabilities() const {
    oracle::Matrix logits(rows(), vocabulary());
    for (std::int64_t r = 0; r < rows(); ++r) {
      for (std::int64_t v = 0; v < vocabulary(); ++v) logits(r, v) = logits_[r * stride() + v];
    }
    return oracle::softmax(logits);
  }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::vector<std::uint32_t> targets_;
  std::vector<float> logits_ = std::vector<float>(rows() * stride(), kUntouched);
};

INSTANTIATE_TEST_SUITE_P(Shapes, CrossEntropyOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(Shape{1, 2}, Shape{3, 11}, Shape{513, 48}, Shape{64, 1025},
                                                          Shape{3, 50257})),
                         CaseName());

TEST_P(CrossEntropyOps, ForwardIsMinusTheLogProbabilityOfTheTarget) {
  const oracle::Matrix p = probabilities();
  std::vector<double> nll(rows(), -1.0);
  ops_->run(model::ops::CrossEntropyForward{.rows = rows(),
                                            .vocabulary = vocabulary(),
                                            .logits = logits_.data(),
                                            .stride = stride(),
                                            .targets = targets_.data(),
                                            .nll = nll.data()});
  for (std::int64_t r = 0; r < rows(); ++r) {
    const double expected = targets_[r] == model::ops::kNotScored ? 0.0 : -std::log(p(r, targets_[r]));
    ASSERT_NEAR(nll[r], expected, 1e-6 * std::max(1.0, expected)) << "row " << r;
  }
}

TEST_P(CrossEntropyOps, BackwardIsSoftmaxMinusOneHotAndSumsToZero) {
  const oracle::Matrix p = probabilities();
  std::vector<double> forward(rows());
  std::vector<double> nll(rows());
  ops_->run(model::ops::CrossEntropyForward{.rows = rows(),
                                            .vocabulary = vocabulary(),
                                            .logits = logits_.data(),
                                            .stride = stride(),
                                            .targets = targets_.data(),
                                            .nll = forward.data()});
  ops_->run(model::ops::CrossEntropyBackward{.rows = rows(),
                                             .vocabulary = vocabulary(),
                                             .logits = logits_.data(),
                                             .stride = stride(),
                                             .targets = targets_.data(),
                                             .nll = nll.data()});
  EXPECT_EQ(nll, forward);
  for (std::int64_t r = 0; r < rows(); ++r) {
    const bool scored = targets_[r] != model::ops::kNotScored;
    std::vector<double> expected(vocabulary(), 0.0);
    for (std::int64_t v = 0; v < vocabulary() && scored; ++v) expected[v] = p(r, v);
    if (scored) expected[targets_[r]] -= 1.0;
    const std::span<const float> row(logits_.data() + r * stride(), vocabulary());
    ASSERT_LT(relative_l2(row, expected), 2 * tolerance()) << "row " << r;
    double sum = 0;
    for (const float value : row) sum += value;
    ASSERT_NEAR(sum, 0.0, tolerance()) << "row " << r;
    for (std::int64_t gap = 0; gap < kGap; ++gap) ASSERT_EQ(logits_[r * stride() + vocabulary() + gap], kUntouched);
  }
}

/// Common shifts of the logits of -300, 0 and 300 make log Z as large, and one of 30,000 larger.
TEST_P(CrossEntropyOps, ZLossAddsTheGradientOfItsSquaredLogNormaliser) {
  logits_[0] = 3e4F;
  const oracle::Matrix p = probabilities();
  const std::vector<float> logits = logits_;
  const auto run = [&](double z_loss) {
    logits_ = logits;
    std::vector<double> nll(rows());
    ops_->run(model::ops::CrossEntropyBackward{.rows = rows(),
                                               .vocabulary = vocabulary(),
                                               .logits = logits_.data(),
                                               .stride = stride(),
                                               .targets = targets_.data(),
                                               .nll = nll.data(),
                                               .z_loss = z_loss});
    return nll;
  };
  const std::vector<double> without = run(0);
  constexpr double kWeight = 0.02;
  EXPECT_EQ(run(kWeight), without) << "the nll is without it";
  for (std::int64_t r = 0; r < rows(); ++r) {
    const std::span<const float> row(logits_.data() + r * stride(), vocabulary());
    if (targets_[r] == model::ops::kNotScored) {
      for (const float value : row) ASSERT_EQ(value, 0.0F) << "row " << r;
      continue;
    }
    const auto of_row = std::span(p.values).subspan(r * vocabulary(), vocabulary());
    const auto likeliest = std::max_element(of_row.begin(), of_row.end()) - of_row.begin();
    const double log_z = logits[r * stride() + likeliest] - std::log(p(r, likeliest));
    std::vector<double> expected(vocabulary());
    for (std::int64_t v = 0; v < vocabulary(); ++v) expected[v] = p(r, v) * (1 + 2 * kWeight * log_z);
    expected[targets_[r]] -= 1.0;
    ASSERT_LT(relative_l2(row, expected), 3 * tolerance()) << "row " << r;
    double sum = 0;
    for (const float value : row) sum += value;
    ASSERT_NEAR(sum, 2 * kWeight * log_z, tolerance() * std::max(1.0, std::abs(log_z))) << "row " << r;
    for (std::int64_t gap = 0; gap < kGap; ++gap) ASSERT_EQ(logits_[r * stride() + vocabulary() + gap], kUntouched);
  }
}

TEST_P(CrossEntropyOps, EqualLogitsGiveTheLogarithmOfTheVocabulary) {
  std::fill(logits_.begin(), logits_.end(), 0.0F);
  std::vector<double> nll(rows());
  ops_->run(model::ops::CrossEntropyForward{.rows = rows(),
                                            .vocabulary = vocabulary(),
                                            .logits = logits_.data(),
                                            .stride = stride(),
                                            .targets = targets_.data(),
                                            .nll = nll.data()});
  for (std::int64_t r = 0; r < rows(); ++r) {
    if (targets_[r] == model::ops::kNotScored) continue;
    ASSERT_NEAR(nll[r], std::log(static_cast<double>(vocabulary())), 1e-6);
  }
}

TEST_P(CrossEntropyOps, ANonFiniteLogitNeverLooksLikeAResult) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity}) {
    for (const std::int64_t at : {std::int64_t{0}, vocabulary() - 1}) {
      std::vector<float> logits = logits_;
      for (std::int64_t r = 0; r < rows(); ++r) logits[r * stride() + at] = bad;
      std::vector<double> nll(rows());
      ops_->run(model::ops::CrossEntropyForward{.rows = rows(),
                                                .vocabulary = vocabulary(),
                                                .logits = logits.data(),
                                                .stride = stride(),
                                                .targets = targets_.data(),
                                                .nll = nll.data()});
      for (std::int64_t r = 0; r < rows(); ++r) {
        if (targets_[r] == model::ops::kNotScored) continue;
        ASSERT_FALSE(std::isfinite(nll[r])) << "row " << r << ", logit " << at << " is " << bad;
      }
    }
  }
}

}  // namespace
}  // namespace chainrule::tests
