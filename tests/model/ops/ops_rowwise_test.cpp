// Embedding, layer normalisation and GELU: both implementations of Ops against float64.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "model/ops/embedding.h"
#include "model/ops/gelu.h"
#include "model/ops/layer_norm.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_layers.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

struct Shape {
  std::int64_t rows;
  std::int64_t width;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.width; }

class RowwiseOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  const OpsUnderTest& ops_under_test() const { return std::get<0>(GetParam()); }
  double tolerance() const { return ops_under_test().tolerance; }
  std::int64_t rows() const { return std::get<1>(GetParam()).rows; }
  std::int64_t width() const { return std::get<1>(GetParam()).width; }
  std::int64_t count() const { return rows() * width(); }
  oracle::Matrix matrix(const std::vector<float>& values) const {
    oracle::Matrix result(rows(), width());
    result.values = to_double(values);
    return result;
  }
  oracle::Tensor vector(const std::vector<float>& values) const { return {{width()}, to_double(values)}; }

  std::unique_ptr<model::ops::Ops> ops_ = ops_under_test().make();
};

INSTANTIATE_TEST_SUITE_P(Shapes, RowwiseOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps),
                                          testing::Values(Shape{1, 8}, Shape{3, 48}, Shape{64, 9}, Shape{1, 768},
                                                          Shape{5, 768}, Shape{513, 48})),
                         CaseName());

TEST_P(RowwiseOps, LayerNormForward) {
  std::vector<float> x = normal_values(1, count(), 2.0);
  for (float& value : x) value += 3.0F;  // a mean that matters
  const std::vector<float> gain = normal_values(2, width(), 1.0);
  const std::vector<float> bias = normal_values(3, width(), 1.0);
  std::vector<float> output(count());
  std::vector<float> mean(rows());
  std::vector<float> inverse(rows());
  ops_->run(model::ops::LayerNormForward{.rows = rows(),
                                         .width = width(),
                                         .epsilon = 1e-5F,
                                         .x = x.data(),
                                         .gain = gain.data(),
                                         .bias = bias.data(),
                                         .output = output.data(),
                                         .mean = mean.data(),
                                         .inverse_deviation = inverse.data()});
  const double epsilon = 1e-5F;
  EXPECT_LT(relative_l2(output, oracle::layer_norm(matrix(x), vector(gain), vector(bias), epsilon).values),
            tolerance());
  for (std::int64_t r = 0; r < rows(); ++r) {
    double row_mean = 0;
    for (std::int64_t c = 0; c < width(); ++c) row_mean += x[r * width() + c] / static_cast<double>(width());
    ASSERT_NEAR(mean[r], row_mean, 1e-5);
  }
  ops_->run(model::ops::LayerNormForward{.rows = rows(),
                                         .width = width(),
                                         .epsilon = 1e-5F,
                                         .x = x.data(),
                                         .gain = gain.data(),
                                         .output = output.data(),
                                         .mean = mean.data(),
                                         .inverse_deviation = inverse.data()});
  const std::vector<float> no_bias(width(), 0.0F);
  EXPECT_LT(relative_l2(output, oracle::layer_norm(matrix(x), vector(gain), vector(no_bias), epsilon).values),
            tolerance());
}

TEST_P(RowwiseOps, LayerNormBackwardAddsTheGradients) {
  const std::vector<float> x = normal_values(4, count(), 2.0);
  const std::vector<float> gain = normal_values(5, width(), 1.0);
  const std::vector<float> bias = normal_values(6, width(), 1.0);
  const std::vector<float> output_gradient = normal_values(7, count(), 1.0);
  std::vector<float> output(count());
  std::vector<float> mean(rows());
  std::vector<float> inverse(rows());
  ops_->run(model::ops::LayerNormForward{.rows = rows(),
                                         .width = width(),
                                         .epsilon = 1e-5F,
                                         .x = x.data(),
                                         .gain = gain.data(),
                                         .bias = bias.data(),
                                         .output = output.data(),
                                         .mean = mean.data(),
                                         .inverse_deviation = inverse.data()});
  std::vector<float> x_gradient = normal_values(8, count(), 1.0);
  std::vector<float> gain_gradient = normal_values(9, width(), 1.0);
  std::vector<float> bias_gradient = normal_values(10, width(), 1.0);
  oracle::Tensor expected_gain = vector(gain_gradient);
  oracle::Tensor expected_bias = vector(bias_gradient);
  const oracle::Matrix expected_x =
      oracle::sum(matrix(x_gradient), oracle::layer_norm_backward(matrix(output_gradient), matrix(x), vector(gain),
                                                                  1e-5F, expected_gain, expected_bias));
  ops_->run(model::ops::LayerNormBackward{.rows = rows(),
                                          .width = width(),
                                          .output_gradient = output_gradient.data(),
                                          .x = x.data(),
                                          .gain = gain.data(),
                                          .mean = mean.data(),
                                          .inverse_deviation = inverse.data(),
                                          .x_gradient = x_gradient.data(),
                                          .gain_gradient = gain_gradient.data(),
                                          .bias_gradient = bias_gradient.data()});
  EXPECT_LT(relative_l2(x_gradient, expected_x.values), tolerance());
  EXPECT_LT(relative_l2(gain_gradient, expected_gain.values), tolerance());
  EXPECT_LT(relative_l2(bias_gradient, expected_bias.values), tolerance());
  // Without a bias the other gradients are the same.
  std::vector<float> again_x(count(), 0.0F);
  std::vector<float> again_gain(width(), 0.0F);
  ops_->run(model::ops::LayerNormBackward{.rows = rows(),
                                          .width = width(),
                                          .output_gradient = output_gradient.data(),
                                          .x = x.data(),
                                          .gain = gain.data(),
                                          .mean = mean.data(),
                                          .inverse_deviation = inverse.data(),
                                          .x_gradient = again_x.data(),
                                          .gain_gradient = again_gain.data()});
  oracle::Tensor fresh_gain = vector(std::vector<float>(width(), 0.0F));
  oracle::Tensor fresh_bias = fresh_gain;
  oracle::layer_norm_backward(matrix(output_gradient), matrix(x), vector(gain), 1e-5F, fresh_gain, fresh_bias);
  EXPECT_LT(relative_l2(again_gain, fresh_gain.values), tolerance());
}

TEST_P(RowwiseOps, GeluForwardAlsoInPlace) {
  std::vector<float> x = normal_values(11, count(), 3.0);
  x[0] = -30.0F;  // far into both tails
  x[1] = 30.0F;
  const std::vector<double> expected = oracle::gelu(matrix(x)).values;
  std::vector<float> output(count());
  ops_->run(model::ops::GeluForward{.count = count(), .x = x.data(), .output = output.data()});
  EXPECT_LT(relative_l2(output, expected), tolerance());
  EXPECT_NEAR(output[0], 0.0F, 1e-6F);
  EXPECT_EQ(output[1], 30.0F);
  ops_->run(model::ops::GeluForward{.count = count(), .x = x.data(), .output = x.data()});
  EXPECT_EQ(x, output);
}

TEST_P(RowwiseOps, GeluBackward) {
  std::vector<float> x = normal_values(12, count(), 3.0);
  x[0] = -30.0F;
  x[1] = 30.0F;
  std::vector<float> gradient = normal_values(13, count(), 1.0);
  const std::vector<double> expected = oracle::gelu_backward(matrix(gradient), matrix(x)).values;
  std::vector<float> output(count());
  ops_->run(
      model::ops::GeluBackward{.count = count(), .x = x.data(), .gradient = gradient.data(), .output = output.data()});
  EXPECT_LT(relative_l2(gradient, expected), tolerance());
  EXPECT_LT(relative_l2(output, oracle::gelu(matrix(x)).values), tolerance());
}

/// Ragged sequences over rows(): 1 row, then the rest but one (two of them padding at most).
std::vector<model::ops::Sequence> ragged(std::int64_t rows) {
  if (rows < 5) return {{0, rows}};
  return {{0, 1}, {2, rows - 3}};
}

TEST_P(RowwiseOps, EmbeddingForwardAndBackward) {
  constexpr std::int64_t kVocabulary = 37;
  const std::vector<std::uint32_t> inputs = random_ids(14, rows(), kVocabulary);
  const std::vector<std::uint32_t> targets(inputs.size(), model::ops::kNotScored);
  const std::vector<model::ops::Sequence> sequences = ragged(rows());
  const model::ops::Batch batch{inputs, targets, sequences};
  const std::vector<float> tokens = normal_values(15, kVocabulary * width(), 1.0);
  const std::vector<float> positions = normal_values(16, rows() * width(), 1.0);
  std::vector<std::int64_t> position(rows(), 0);
  for (const model::ops::Sequence& sequence : sequences) {
    for (std::int64_t t = 0; t < sequence.rows; ++t) position[sequence.first_row + t] = t;
  }
  std::vector<float> output(count());
  ops_->run(model::ops::EmbeddingForward{.batch = batch,
                                         .width = width(),
                                         .token_embedding = tokens.data(),
                                         .position_embedding = positions.data(),
                                         .output = output.data()});
  for (std::int64_t r = 0; r < rows(); ++r) {
    for (std::int64_t c = 0; c < width(); ++c) {
      ASSERT_EQ(output[r * width() + c], tokens[inputs[r] * width() + c] + positions[position[r] * width() + c]);
    }
  }

  const std::vector<float> gradient = normal_values(17, count(), 1.0);
  std::vector<float> token_gradient = normal_values(18, kVocabulary * width(), 1.0);
  std::vector<float> position_gradient = normal_values(19, rows() * width(), 1.0);
  std::vector<double> expected_tokens = to_double(token_gradient);
  std::vector<double> expected_positions = to_double(position_gradient);
  for (std::int64_t r = 0; r < rows(); ++r) {
    for (std::int64_t c = 0; c < width(); ++c) {
      expected_tokens[inputs[r] * width() + c] += gradient[r * width() + c];
      expected_positions[position[r] * width() + c] += gradient[r * width() + c];
    }
  }
  ops_->run(model::ops::EmbeddingBackward{.batch = batch,
                                          .width = width(),
                                          .gradient = gradient.data(),
                                          .token_gradient = token_gradient.data(),
                                          .position_gradient = position_gradient.data()});
  EXPECT_LT(relative_l2(token_gradient, expected_tokens), tolerance());
  EXPECT_LT(relative_l2(position_gradient, expected_positions), tolerance());
}

}  // namespace
}  // namespace chainrule::tests
