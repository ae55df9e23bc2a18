#include "pipeline/evaluate/compare/significance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "pipeline/evaluate/tally/ratio_of_sums.h"

namespace chainrule::pipeline::evaluate::compare {
namespace {

using tally::RatioOfSums;

TEST(RatioOfSums, IsTheFormulaWrittenOut) {
  const std::vector<std::pair<double, double>> documents = {{2, 10}, {-1, 4}, {7, 30}, {0.5, 1}};
  RatioOfSums sums;
  double y = 0;
  double x = 0;
  for (const auto& [each_y, each_x] : documents) {
    sums.add(each_y, each_x);
    y += each_y;
    x += each_x;
  }
  double squares = 0;
  for (const auto& [each_y, each_x] : documents) squares += std::pow(each_y - y / x * each_x, 2);
  EXPECT_DOUBLE_EQ(sums.ratio().value(), y / x);
  EXPECT_NEAR(sums.standard_error().value(), std::sqrt(4.0 / 3 * squares) / x, 1e-12);
  EXPECT_NEAR(sums.standard_deviation().value(), 2 * *sums.standard_error(), 1e-12);
  EXPECT_FALSE(RatioOfSums().ratio().has_value());
  RatioOfSums one;
  one.add(1, 2);
  EXPECT_FALSE(one.standard_error().has_value());
}

TEST(RatioOfSums, TheNormalDistribution) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_NEAR(normal_quantile(0.8), 0.8416212335729143, 1e-9);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-9);
  EXPECT_NEAR(p_value(1.959963984540054, 1), 0.05, 1e-12);
  EXPECT_EQ(p_value(0, 0), 1);
  EXPECT_EQ(p_value(1, 0), 0);
  EXPECT_EQ(documents_needed(1, 0.1, 0.8), std::ceil(std::pow(2.801585218113, 2) * 100));
}

/// Documents of log-normal length whose difference has a part of their own, beside that of each byte.
RatioOfSums corpus(std::mt19937_64& random, int documents, double difference) {
  std::lognormal_distribution<double> length(4, 1);
  std::normal_distribution<double> noise;
  RatioOfSums sums;
  for (int i = 0; i < documents; ++i) {
    const double bytes = 1 + std::floor(length(random));
    const double own = 0.3 * noise(random);
    sums.add(bytes * (difference + own) + std::sqrt(bytes) * noise(random), bytes);
  }
  return sums;
}

TEST(RatioOfSums, The95PercentIntervalHoldsTheTruthIn95PercentOfCorpora) {
  std::mt19937_64 random(5);
  constexpr int kCorpora = 2000;
  int held = 0;
  for (int i = 0; i < kCorpora; ++i) {
    const RatioOfSums sums = corpus(random, 400, 0.1);
    if (std::abs(*sums.ratio() - 0.1) <= 1.959963984540054 * *sums.standard_error()) ++held;
  }
  EXPECT_GT(held, 0.93 * kCorpora);
  EXPECT_LT(held, 0.97 * kCorpora);
}

TEST(RatioOfSums, AsManyDocumentsAsAreNeededFindTheDifferenceAsOften) {
  std::mt19937_64 random(6);
  const RatioOfSums pilot = corpus(random, 20'000, 0);
  const auto documents = static_cast<int>(documents_needed(*pilot.standard_deviation(), 0.08, 0.8));
  int found = 0;
  constexpr int kCorpora = 1000;
  for (int i = 0; i < kCorpora; ++i) {
    const RatioOfSums sums = corpus(random, documents, 0.08);
    if (p_value(*sums.ratio(), *sums.standard_error()) < 0.05) ++found;
  }
  EXPECT_GT(found, 0.75 * kCorpora) << documents;
  EXPECT_LT(found, 0.87 * kCorpora) << documents;
}

}  // namespace
}  // namespace chainrule::pipeline::evaluate::compare
