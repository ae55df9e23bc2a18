#include "model/sampling/distribution.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "tests/support/values.h"

namespace chainrule::tests {
namespace {

TEST(Distribution, FactorOfAKnownDistribution) {
  // Probabilities 1/2, 1/4, 1/8, 1/8, shifted as logits may be.
  std::vector<float> logits;
  for (const double p : {0.25, 0.5, 0.125, 0.125}) logits.push_back(static_cast<float>(std::log(p) + 30));
  const model::sampling::Factor factor = model::sampling::factor_of(logits, 0);
  EXPECT_NEAR(factor.nll_nats, std::log(4), 1e-6);
  EXPECT_NEAR(factor.entropy_nats, 1.75 * std::log(2), 1e-6);
  EXPECT_EQ(factor.rank, 2);
  EXPECT_EQ(factor.likeliest, 1U);
  EXPECT_NEAR(factor.likeliest_nll_nats, std::log(2), 1e-6);
  EXPECT_EQ(model::sampling::factor_of(logits, 2).rank, 3);  // equals share a rank
  EXPECT_EQ(model::sampling::factor_of(logits, 3).rank, 3);
}

TEST(Distribution, ProbabilitiesOfALargeVocabularySumToOne) {
  const std::vector<float> logits = normal_values(3, 50'257, 4.0);
  for (const double temperature : {0.3, 1.0, 2.5}) {
    const std::vector<double> values = model::sampling::log_probabilities(logits, temperature);
    double sum = 0;
    for (const double value : values) sum += std::exp(value);
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
  const std::vector<double> values = model::sampling::log_probabilities(logits, 1.0);
  const model::sampling::Factor factor = model::sampling::factor_of(logits, 17);
  EXPECT_NEAR(factor.nll_nats, -values[17], 1e-12);
  EXPECT_NEAR(factor.entropy_nats, model::sampling::entropy_nats(values), 1e-10);
  EXPECT_EQ(model::sampling::largest_of(values, 1)[0], factor.likeliest);
}

TEST(Distribution, TheLargestComeInOrder) {
  EXPECT_THAT(model::sampling::largest_of(std::vector<double>{1, 5, 3, 5, 2}, 3), ::testing::ElementsAre(1, 3, 2));
  EXPECT_THAT(model::sampling::largest_of(std::vector<double>{1, 2}, 9), ::testing::ElementsAre(1, 0));
}

TEST(Distribution, ALogitThatIsNotFiniteMakesItsNumbersNaN) {
  const std::vector<float> logits = {0.0F, NAN, 1.0F};
  EXPECT_TRUE(std::isnan(model::sampling::factor_of(logits, 0).nll_nats));
  EXPECT_TRUE(std::isnan(model::sampling::log_probabilities(logits, 1.0)[0]));
}

}  // namespace
}  // namespace chainrule::tests
