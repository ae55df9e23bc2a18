// The float64 decoder against itself: its hand-written gradients against central differences of its loss.
#include "tests/support/oracle.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/values.h"

namespace chainrule::tests::oracle {
namespace {

model::shape::Config tiny_config() {
  model::shape::Config config;
  config.layers = 2;
  config.heads = 2;
  config.width = 8;
  config.feed_forward_width = 20;
  config.vocabulary_size = 11;
  config.sequence_length = 6;
  return config;
}

/// Every parameter drawn at random, large enough that no gradient vanishes by chance.
Tensors random_parameters(const model::shape::Config& config, std::uint64_t seed) {
  Tensors parameters = zero_parameters(config);
  for (auto& [name, tensor] : parameters) {
    const auto size = static_cast<std::int64_t>(tensor.values.size());
    tensor.values = to_double(normal_values(seed++, size, 0.4));
    if (name.ends_with("norm.weight")) {
      for (double& value : tensor.values) value += 1.0;
    }
  }
  return parameters;
}

/// Derivative of what is minimised by one parameter: five points, so that the step may be large and its error still
/// h^4.
template <typename Minimised>
double central_difference(const Minimised& minimised, double& parameter) {
  constexpr double kStep = 1e-3;
  const double kept = parameter;
  const auto at = [&](double offset) {
    parameter = kept + offset;
    return minimised();
  };
  const double near = at(kStep) - at(-kStep);
  const double far = at(2 * kStep) - at(-2 * kStep);
  parameter = kept;
  return (8.0 * near - far) / (12.0 * kStep);
}

TEST(Oracle, EveryGradientEqualsItsCentralDifference) {
  const model::shape::Config config = tiny_config();
  Tensors parameters = random_parameters(config, 1);
  // Two sequences, one of them short, a repeated token, and a position that is not scored.
  const std::vector<Text> texts = {{{3, 0, 10, 3, 7, 1}, {0, 10, 3, kNoTarget, 1, 5}}, {{9, 2}, {2, 4}}};
  const Tensors analytic = gradients(config, parameters, texts);
  const auto minimised = [&] { return loss(config, parameters, texts); };
  std::size_t checked = 0;
  for (auto& [name, tensor] : parameters) {
    for (std::size_t i = 0; i < tensor.values.size(); ++i, ++checked) {
      const double numeric = central_difference(minimised, tensor.values[i]);
      ASSERT_NEAR(analytic.at(name).values[i], numeric, 1e-7 * std::abs(numeric) + 2e-9) << name << " element " << i;
    }
  }
  EXPECT_EQ(checked, 88u + 48u + 16u + 2u * (32u + 24u * 8u + 24u + 72u + 20u * 8u + 20u + 168u));
}

TEST(Oracle, GradientsWithAZLossEqualTheirCentralDifferencesAlsoWhereLogitsAreCapped) {
  for (const float cap : {0.0F, 1.5F}) {
    model::shape::Config config = tiny_config();
    config.logit_soft_cap = cap;
    Tensors parameters = random_parameters(config, 3);
    const std::vector<Text> texts = {{{3, 0, 10, 3}, {0, 10, kNoTarget, 1}}, {{9, 2}, {2, 4}}};
    constexpr double kWeight = 0.3;
    const Tensors analytic = gradients(config, parameters, texts, kWeight);
    const auto minimised = [&] {
      return loss(config, parameters, texts) + kWeight * squared_log_normalisers(config, parameters, texts);
    };
    for (auto& [name, tensor] : parameters) {
      for (std::size_t i = 0; i < tensor.values.size(); i += 7) {
        const double numeric = central_difference(minimised, tensor.values[i]);
        ASSERT_NEAR(analytic.at(name).values[i], numeric, 1e-7 * std::abs(numeric) + 2e-9) << name << " element " << i;
      }
    }
  }
}

TEST(Oracle, LossIsTheSumOfItsTexts) {
  const model::shape::Config config = tiny_config();
  const Tensors parameters = random_parameters(config, 2);
  const Text a{{1, 2, 3}, {2, 3, 4}};
  const Text b{{5, 6}, {6, kNoTarget}};
  EXPECT_NEAR(loss(config, parameters, {a, b}), loss(config, parameters, {a}) + loss(config, parameters, {b}), 1e-12);
  EXPECT_EQ(nll(config, parameters, b)[1], 0.0);
}

TEST(Oracle, ZeroParametersAreTheUniformModel) {
  const model::shape::Config config = tiny_config();
  const std::vector<double> result = nll(config, zero_parameters(config), {{1, 2, 3}, {2, 3, 4}});
  for (const double nats : result) EXPECT_NEAR(nats, std::log(11.0), 1e-14);
}

}  // namespace
}  // namespace chainrule::tests::oracle
