// What Llama's relatives add to the operations: both implementations of Ops against float64.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "model/ops/cross_entropy.h"
#include "model/ops/embedding.h"
#include "model/ops/relu_squared.h"
#include "model/ops/rms_norm.h"
#include "model/ops/rotary.h"
#include "model/ops/soft_cap.h"
#include "model/ops/swiglu.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_layers.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

constexpr float kEpsilon = 1e-5F;

struct Shape {
  std::int64_t rows;
  std::int64_t width;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.width; }

oracle::Matrix matrix(std::int64_t rows, std::int64_t columns, const std::vector<float>& values) {
  oracle::Matrix result(rows, columns);
  result.values = to_double(values);
  return result;
}

oracle::Tensor vector(const std::vector<float>& values) {
  return {{static_cast<std::int64_t>(values.size())}, to_double(values)};
}

class LlamaOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  double tolerance() const { return std::get<0>(GetParam()).tolerance; }
  std::int64_t rows() const { return std::get<1>(GetParam()).rows; }
  std::int64_t width() const { return std::get<1>(GetParam()).width; }
  std::int64_t count() const { return rows() * width(); }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
};

INSTANTIATE_TEST_SUITE_P(Shapes, LlamaOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(Shape{1, 8}, Shape{3, 48}, Shape{64, 9}, Shape{5, 576},
                                                          Shape{513, 40})),
                         CaseName());

TEST_P(LlamaOps, RmsNorm) {
  const std::vector<float> x = normal_values(1, count(), 2.0);
  const std::vector<float> gain = normal_values(2, width(), 1.0);
  const std::vector<float> output_gradient = normal_values(3, count(), 1.0);
  std::vector<float> output(count());
  std::vector<float> inverse(rows());
  ops_->run(model::ops::RmsNormForward{.rows = rows(),
                                       .width = width(),
                                       .epsilon = kEpsilon,
                                       .x = x.data(),
                                       .gain = gain.data(),
                                       .output = output.data(),
                                       .inverse_root_mean_square = inverse.data()});
  const oracle::Matrix of_x = matrix(rows(), width(), x);
  EXPECT_LT(relative_l2(output, oracle::rms_norm(of_x, vector(gain), kEpsilon).values), tolerance());

  std::vector<float> x_gradient = normal_values(4, count(), 1.0);
  std::vector<float> gain_gradient = normal_values(5, width(), 1.0);
  oracle::Tensor expected_gain = vector(gain_gradient);
  const oracle::Matrix expected_x = oracle::sum(
      matrix(rows(), width(), x_gradient),
      oracle::rms_norm_backward(matrix(rows(), width(), output_gradient), of_x, vector(gain), kEpsilon, expected_gain));
  ops_->run(model::ops::RmsNormBackward{.rows = rows(),
                                        .width = width(),
                                        .output_gradient = output_gradient.data(),
                                        .x = x.data(),
                                        .gain = gain.data(),
                                        .inverse_root_mean_square = inverse.data(),
                                        .x_gradient = x_gradient.data(),
                                        .gain_gradient = gain_gradient.data()});
  EXPECT_LT(relative_l2(x_gradient, expected_x.values), tolerance());
  EXPECT_LT(relative_l2(gain_gradient, expected_gain.values), tolerance());
}

TEST_P(LlamaOps, Swiglu) {
  std::vector<float> x = normal_values(6, 2 * count(), 3.0);
  x[0] = -60.0F;  // far into both tails of the gate
  if (width() > 1) x[1] = 60.0F;
  const std::vector<float> output_gradient = normal_values(7, count(), 1.0);
  const oracle::Matrix of_x = matrix(rows(), 2 * width(), x);
  const std::vector<double> expected = oracle::swiglu(of_x).values;
  std::vector<float> output(count());
  ops_->run(model::ops::SwigluForward{.rows = rows(), .width = width(), .x = x.data(), .output = output.data()});
  EXPECT_LT(relative_l2(output, expected), tolerance());

  std::vector<float> x_gradient(2 * count(), std::nanf(""));
  std::vector<float> again(count(), std::nanf(""));
  ops_->run(model::ops::SwigluBackward{.rows = rows(),
                                       .width = width(),
                                       .x = x.data(),
                                       .output_gradient = output_gradient.data(),
                                       .x_gradient = x_gradient.data(),
                                       .output = again.data()});
  EXPECT_LT(relative_l2(x_gradient, oracle::swiglu_backward(matrix(rows(), width(), output_gradient), of_x).values),
            tolerance());
  EXPECT_LT(relative_l2(again, expected), tolerance());
}

TEST_P(LlamaOps, ReluSquared) {
  const std::vector<float> x = normal_values(8, count(), 3.0);
  std::vector<float> gradient = normal_values(9, count(), 1.0);
  const oracle::Matrix of_x = matrix(rows(), width(), x);
  const std::vector<double> expected_gradient =
      oracle::relu_squared_backward(matrix(rows(), width(), gradient), of_x).values;
  std::vector<float> output(count());
  ops_->run(model::ops::ReluSquaredForward{.count = count(), .x = x.data(), .output = output.data()});
  EXPECT_LT(relative_l2(output, oracle::relu_squared(of_x).values), tolerance());
  std::vector<float> again(count());
  ops_->run(model::ops::ReluSquaredBackward{
      .count = count(), .x = x.data(), .gradient = gradient.data(), .output = again.data()});
  EXPECT_LT(relative_l2(gradient, expected_gradient), tolerance());
  EXPECT_EQ(again, output);
}

TEST_P(LlamaOps, EmbeddingWithoutPositions) {
  constexpr std::int64_t kVocabulary = 37;
  const std::vector<std::uint32_t> inputs = random_ids(10, rows(), kVocabulary);
  const std::vector<std::uint32_t> targets(inputs.size(), model::ops::kNotScored);
  const std::vector<model::ops::Sequence> sequences = {{0, rows()}};
  const model::ops::Batch batch{inputs, targets, sequences};
  const std::vector<float> tokens = normal_values(11, kVocabulary * width(), 1.0);
  std::vector<float> output(count());
  ops_->run(model::ops::EmbeddingForward{
      .batch = batch, .width = width(), .token_embedding = tokens.data(), .output = output.data()});
  const std::vector<float> gradient = normal_values(12, count(), 1.0);
  std::vector<float> token_gradient(kVocabulary * width(), 0.0F);
  std::vector<double> expected(token_gradient.size(), 0.0);
  ops_->run(model::ops::EmbeddingBackward{
      .batch = batch, .width = width(), .gradient = gradient.data(), .token_gradient = token_gradient.data()});
  for (std::int64_t r = 0; r < rows(); ++r) {
    for (std::int64_t c = 0; c < width(); ++c) {
      ASSERT_EQ(output[r * width() + c], tokens[inputs[r] * width() + c]);
      expected[inputs[r] * width() + c] += gradient[r * width() + c];
    }
  }
  EXPECT_LT(relative_l2(token_gradient, expected), tolerance());
}

TEST_P(LlamaOps, CappedLogitsAndTheirGradient) {
  constexpr float kCap = 5.0F;
  const std::int64_t stride = width() + 3;
  const std::vector<float> values = normal_values(13, count(), 4.0);
  const std::vector<std::uint32_t> targets = random_ids(14, rows(), width());
  std::vector<float> logits(rows() * stride, 0.0F);
  for (std::int64_t r = 0; r < rows(); ++r) {
    for (std::int64_t v = 0; v < width(); ++v) logits[r * stride + v] = values[r * width() + v];
  }
  logits[0] = 1e-4F;  // where tanh is almost its argument
  oracle::Matrix uncapped = matrix(rows(), width(), values);
  uncapped.values[0] = 1e-4F;
  const oracle::Matrix capped = oracle::soft_cap(uncapped, kCap);
  ops_->run(model::ops::SoftCap{
      .rows = rows(), .vocabulary = width(), .stride = stride, .cap = kCap, .logits = logits.data()});
  for (std::int64_t r = 0; r < rows(); ++r) {
    const auto of_row = std::span(capped.values).subspan(r * width(), width());
    ASSERT_LT(relative_l2(std::span<const float>(logits).subspan(r * stride, width()), of_row), tolerance());
  }
  EXPECT_NEAR(logits[0], 1e-4, 1e-10);

  for (const double z_loss : {0.0, 0.03}) {
    oracle::Matrix gradient = oracle::softmax(capped);
    for (std::int64_t r = 0; r < rows(); ++r) {
      // Z is of the logits as they enter the softmax: capped.
      const double log_z = capped(r, 0) - std::log(gradient(r, 0));
      for (std::int64_t v = 0; v < width(); ++v) gradient(r, v) *= 1 + 2 * z_loss * log_z;
      gradient(r, targets[r]) -= 1.0;
    }
    gradient = oracle::soft_cap_backward(gradient, uncapped, kCap);
    std::vector<float> gradients = logits;
    std::vector<double> nll(rows());
    ops_->run(model::ops::CrossEntropyBackward{.rows = rows(),
                                               .vocabulary = width(),
                                               .logits = gradients.data(),
                                               .stride = stride,
                                               .targets = targets.data(),
                                               .nll = nll.data(),
                                               .soft_cap = kCap,
                                               .z_loss = z_loss});
    for (std::int64_t r = 0; r < rows(); ++r) {
      const auto of_row = std::span(gradient.values).subspan(r * width(), width());
      // Where a logit is near the cap, 1 - tanh^2 is made of a tanh that was rounded.
      ASSERT_LT(relative_l2(std::span<const float>(gradients).subspan(r * stride, width()), of_row), 10 * tolerance());
    }
  }
}

struct HeadCase {
  std::int64_t rows;
  model::shape::AttentionShape shape;
};

void PrintTo(const HeadCase& tested, std::ostream* stream) {
  *stream << tested.rows << "rows_" << tested.shape.heads << "over" << tested.shape.key_value_heads << "x"
          << tested.shape.head_width;
}

class HeadOps : public testing::TestWithParam<std::tuple<OpsUnderTest, HeadCase>> {
 protected:
  double tolerance() const { return std::get<0>(GetParam()).tolerance; }
  std::int64_t rows() const { return std::get<1>(GetParam()).rows; }
  model::shape::AttentionShape shape() const { return std::get<1>(GetParam()).shape; }
  std::int64_t count() const { return rows() * shape().row_width(); }
  oracle::Heads heads() const { return {shape().heads, shape().key_value_heads, shape().head_width}; }
  oracle::Matrix of(const std::vector<float>& values) const { return matrix(rows(), shape().row_width(), values); }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
};

INSTANTIATE_TEST_SUITE_P(Shapes, HeadOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(HeadCase{1, {1, 1, 4}}, HeadCase{7, {4, 2, 6}},
                                                          HeadCase{40, {3, 1, 64}}, HeadCase{19, {2, 2, 34}})),
                         CaseName());

TEST_P(HeadOps, QueryKeyNorm) {
  const std::vector<float> x = normal_values(21, count(), 2.0);
  const std::vector<float> gain = normal_values(22, 2 * shape().head_width, 1.0);
  std::vector<float> output(count());
  std::vector<float> inverse(rows() * (shape().heads + shape().key_value_heads));
  ops_->run(model::ops::QueryKeyNormForward{.rows = rows(),
                                            .shape = shape(),
                                            .epsilon = kEpsilon,
                                            .query_key_value = x.data(),
                                            .gain = gain.data(),
                                            .output = output.data(),
                                            .inverse_root_mean_square = inverse.data()});
  EXPECT_LT(relative_l2(output, oracle::query_key_norm(of(x), heads(), vector(gain), kEpsilon).values), tolerance());

  std::vector<float> gradient = normal_values(23, count(), 1.0);
  std::vector<float> gain_gradient = normal_values(24, 2 * shape().head_width, 1.0);
  oracle::Tensor expected_gain = vector(gain_gradient);
  const oracle::Matrix expected =
      oracle::query_key_norm_backward(of(gradient), of(x), heads(), vector(gain), kEpsilon, expected_gain);
  ops_->run(model::ops::QueryKeyNormBackward{.rows = rows(),
                                             .shape = shape(),
                                             .query_key_value = x.data(),
                                             .gain = gain.data(),
                                             .inverse_root_mean_square = inverse.data(),
                                             .gradient = gradient.data(),
                                             .gain_gradient = gain_gradient.data()});
  EXPECT_LT(relative_l2(gradient, expected.values), tolerance());
  EXPECT_LT(relative_l2(gain_gradient, expected_gain.values), tolerance());
}

TEST_P(HeadOps, RotaryTurnsByPositionAndBack) {
  constexpr double kTheta = 100.0;
  const std::int64_t half = shape().head_width / 2;
  std::vector<float> cosines;
  std::vector<float> sines;
  for (std::int64_t row = 0; row < rows(); ++row) {
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(row) *
                           std::pow(kTheta, -2.0 * static_cast<double>(i) / static_cast<double>(shape().head_width));
      cosines.push_back(static_cast<float>(std::cos(angle)));
      sines.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  const std::vector<model::ops::RotaryRun> runs = {{0, rows(), cosines.data(), sines.data()}};
  const std::vector<float> x = normal_values(25, count(), 2.0);
  std::vector<float> output(count(), std::nanf(""));
  ops_->run(model::ops::RotaryForward{
      .rows = rows(), .shape = shape(), .runs = runs, .query_key_value = x.data(), .output = output.data()});
  EXPECT_LT(relative_l2(output, oracle::rotary(of(x), heads(), kTheta, 1.0).values), tolerance());
  std::vector<float> gradient = normal_values(26, count(), 1.0);
  const std::vector<double> expected = oracle::rotary(of(gradient), heads(), kTheta, -1.0).values;
  ops_->run(model::ops::RotaryBackward{.shape = shape(), .runs = runs, .gradient = gradient.data()});
  EXPECT_LT(relative_l2(gradient, expected), tolerance());
}

class PaddedRotary : public testing::TestWithParam<OpsUnderTest> {};

INSTANTIATE_TEST_SUITE_P(Ops, PaddedRotary, testing::Values(kReferenceOps, kFastOps),
                         [](const auto& test) { return test.param.name; });

TEST_P(PaddedRotary, IsZeroInPadding) {
  constexpr std::int64_t kRows = 9;
  const model::shape::AttentionShape shape{2, 1, 4};
  const std::vector<float> sines(kRows * 2, 0.0F);
  const std::vector<float> cosines(kRows * 2, 1.0F);
  const std::vector<model::ops::RotaryRun> runs = {{1, 2, cosines.data(), sines.data()},
                                                   {4, 4, cosines.data(), sines.data()}};
  const std::vector<float> x = normal_values(27, kRows * shape.row_width(), 2.0);
  std::vector<float> output(x.size(), std::nanf(""));
  GetParam().make()->run(model::ops::RotaryForward{
      .rows = kRows, .shape = shape, .runs = runs, .query_key_value = x.data(), .output = output.data()});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / shape.row_width();
    const bool padding = row == 0 || row == 3 || row == 8;
    ASSERT_EQ(output[i], padding ? 0.0F : x[i]) << "row " << row;
  }
}

}  // namespace
}  // namespace chainrule::tests
