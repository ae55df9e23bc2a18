// Matrix products: both implementations of Ops against float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "model/ops/linear.h"
#include "tests/model/ops/ops_under_test.h"
#include "tests/support/oracle_layers.h"
#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

struct Shape {
  std::int64_t rows;
  std::int64_t in;
  std::int64_t out;
};

void PrintTo(const Shape& shape, std::ostream* stream) { *stream << shape.rows << "x" << shape.in << "x" << shape.out; }

constexpr std::int64_t kGap = 3;  // elements between rows of the output that nobody may touch
constexpr float kUntouched = 12345.0F;

class LinearOps : public testing::TestWithParam<std::tuple<OpsUnderTest, Shape>> {
 protected:
  Shape shape() const { return std::get<1>(GetParam()); }
  double tolerance() const { return std::get<0>(GetParam()).tolerance; }
  std::int64_t stride() const { return shape().out + kGap; }

  oracle::Matrix x_matrix() const {
    oracle::Matrix result(shape().rows, shape().in);
    result.values = to_double(x_);
    return result;
  }
  oracle::Tensor weight_tensor() const { return {{shape().out, shape().in}, to_double(weight_)}; }
  oracle::Tensor bias_tensor() const { return {{shape().out}, to_double(bias_)}; }

  /// values [rows, out] laid out with a gap after each row.
  std::vector<float> spread(const std::vector<float>& values) const {
    std::vector<float> result(shape().rows * stride(), kUntouched);
    for (std::int64_t r = 0; r < shape().rows; ++r) {
      std::copy_n(values.begin() + r * shape().out, shape().out, result.begin() + r * stride());
    }
    return result;
  }
  /// The reverse, which also checks that the gaps are as they were.
  std::vector<float> gathered(const std::vector<float>& values) const {
    std::vector<float> result;
    for (std::int64_t r = 0; r < shape().rows; ++r) {
      for (std::int64_t o = 0; o < shape().out; ++o) result.push_back(values[r * stride() + o]);
      for (std::int64_t gap = 0; gap < kGap; ++gap) EXPECT_EQ(values[r * stride() + shape().out + gap], kUntouched);
    }
    return result;
  }

  std::unique_ptr<model::ops::Ops> ops_ = std::get<0>(GetParam()).make();
  std::vector<float> x_ = normal_values(1, shape().rows* shape().in, 1.0);
  std::vector<float> weight_ = normal_values(2, shape().out* shape().in, 0.3);
  std::vector<float> bias_ = normal_values(3, shape().out, 1.0);
  std::vector<float> output_gradient_ = normal_values(4, shape().rows* shape().out, 1.0);
};

INSTANTIATE_TEST_SUITE_P(Shapes, LinearOps,
                         testing::Combine(testing::Values(kReferenceOps, kFastOps, kOneDnnOps, kBf16Ops),
                                          testing::Values(Shape{1, 8, 24}, Shape{3, 48, 17}, Shape{64, 48, 192},
                                                          Shape{513, 48, 144}, Shape{64, 768, 48}, Shape{5, 192, 768},
                                                          Shape{3, 8, 50257})),
                         CaseName());

TEST_P(LinearOps, Forward) {
  const std::vector<double> expected = oracle::linear(x_matrix(), weight_tensor(), bias_tensor()).values;
  std::vector<float> output = spread(std::vector<float>(shape().rows * shape().out, 0.0F));
  ops_->run(model::ops::LinearForward{.rows = shape().rows,
                                      .in = shape().in,
                                      .out = shape().out,
                                      .x = x_.data(),
                                      .weight = weight_.data(),
                                      .bias = bias_.data(),
                                      .output = output.data(),
                                      .output_stride = stride()});
  EXPECT_LT(relative_l2(gathered(output), expected), tolerance());
}

TEST_P(LinearOps, ForwardAddsToWhatIsThereWithAndWithoutBias) {
  for (const bool biased : {true, false}) {
    const std::vector<float> before = normal_values(5, shape().rows * shape().out, 1.0);
    oracle::Tensor bias = bias_tensor();
    if (!biased) bias.values.assign(bias.values.size(), 0.0);
    oracle::Matrix there(shape().rows, shape().out);
    there.values = to_double(before);
    const oracle::Matrix expected = oracle::sum(there, oracle::linear(x_matrix(), weight_tensor(), bias));
    std::vector<float> output = spread(before);
    ops_->run(model::ops::LinearForward{.rows = shape().rows,
                                        .in = shape().in,
                                        .out = shape().out,
                                        .x = x_.data(),
                                        .weight = weight_.data(),
                                        .bias = biased ? bias_.data() : nullptr,
                                        .output = output.data(),
                                        .output_stride = stride(),
                                        .accumulate = true});
    EXPECT_LT(relative_l2(gathered(output), expected.values), tolerance()) << "biased: " << biased;
  }
}

TEST_P(LinearOps, BackwardInputOverwritesOrAdds) {
  oracle::Matrix output_gradient(shape().rows, shape().out);
  output_gradient.values = to_double(output_gradient_);
  oracle::Tensor weight_gradient{{shape().out, shape().in}, std::vector<double>(weight_.size(), 0.0)};
  oracle::Tensor bias_gradient{{shape().out}, std::vector<double>(bias_.size(), 0.0)};
  const oracle::Matrix product =
      oracle::linear_backward(output_gradient, x_matrix(), weight_tensor(), weight_gradient, bias_gradient);
  const std::vector<float> strided = spread(output_gradient_);
  for (const bool accumulate : {false, true}) {
    std::vector<float> x_gradient = normal_values(6, shape().rows * shape().in, 1.0);
    oracle::Matrix there(shape().rows, shape().in);
    if (accumulate) there.values = to_double(x_gradient);
    ops_->run(model::ops::LinearBackwardInput{.rows = shape().rows,
                                              .in = shape().in,
                                              .out = shape().out,
                                              .output_gradient = strided.data(),
                                              .output_gradient_stride = stride(),
                                              .weight = weight_.data(),
                                              .x_gradient = x_gradient.data(),
                                              .accumulate = accumulate});
    EXPECT_LT(relative_l2(x_gradient, oracle::sum(there, product).values), tolerance()) << "accumulate: " << accumulate;
  }
}

TEST_P(LinearOps, BackwardWeightAdds) {
  std::vector<float> weight_gradient = normal_values(7, shape().out * shape().in, 1.0);
  std::vector<float> bias_gradient = normal_values(8, shape().out, 1.0);
  oracle::Tensor expected_weight{{shape().out, shape().in}, to_double(weight_gradient)};
  oracle::Tensor expected_bias{{shape().out}, to_double(bias_gradient)};
  oracle::Matrix output_gradient(shape().rows, shape().out);
  output_gradient.values = to_double(output_gradient_);
  oracle::linear_backward(output_gradient, x_matrix(), weight_tensor(), expected_weight, expected_bias);
  const std::vector<float> strided = spread(output_gradient_);
  ops_->run(model::ops::LinearBackwardWeight{.rows = shape().rows,
                                             .in = shape().in,
                                             .out = shape().out,
                                             .output_gradient = strided.data(),
                                             .output_gradient_stride = stride(),
                                             .x = x_.data(),
                                             .weight_gradient = weight_gradient.data(),
                                             .bias_gradient = bias_gradient.data(),
                                             .accumulate = true});
  EXPECT_LT(relative_l2(weight_gradient, expected_weight.values), tolerance());
  EXPECT_LT(relative_l2(bias_gradient, expected_bias.values), tolerance());
  // Replaced rather than added to, and without a bias.
  std::vector<float> alone(weight_gradient.size(), std::nanf(""));
  ops_->run(model::ops::LinearBackwardWeight{.rows = shape().rows,
                                             .in = shape().in,
                                             .out = shape().out,
                                             .output_gradient = strided.data(),
                                             .output_gradient_stride = stride(),
                                             .x = x_.data(),
                                             .weight_gradient = alone.data()});
  oracle::Tensor expected_alone{expected_weight.shape, std::vector<double>(alone.size(), 0.0)};
  oracle::linear_backward(output_gradient, x_matrix(), weight_tensor(), expected_alone, expected_bias);
  EXPECT_LT(relative_l2(alone, expected_alone.values), tolerance());
}

}  // namespace
}  // namespace chainrule::tests
