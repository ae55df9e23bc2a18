#include "pipeline/watch/curves/step_tokens.h"

#include <gtest/gtest.h>

#include <vector>

namespace chainrule::pipeline::watch::curves {
namespace {

/// Of steps that have so many tokens each.
StepTokens tokens_of(const std::vector<std::int64_t>& steps) {
  StepTokens tokens;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    sum += steps[i];
    tokens.add(static_cast<std::int64_t>(i) + 1, sum);
  }
  return tokens;
}

TEST(StepTokens, SaysWhatEachStepHad) {
  const std::vector<std::int64_t> steps = {16, 16, 16, 32, 32, 64, 64, 64, 64};
  const StepTokens tokens = tokens_of(steps);
  double sum = 0;
  EXPECT_EQ(tokens.at(0), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_DOUBLE_EQ(tokens.at(static_cast<double>(i) + 0.5), sum + static_cast<double>(steps[i]) / 2);
    sum += static_cast<double>(steps[i]);
    EXPECT_DOUBLE_EQ(tokens.at(static_cast<double>(i) + 1), sum);
  }
  EXPECT_EQ(StepTokens().at(5), 0);
}

TEST(StepTokens, CountsWhatARunWentBackOver) {
  StepTokens tokens;
  for (std::int64_t step = 1; step <= 10; ++step) tokens.add(step, 64 * step + (step > 5 ? 1000 : 0));
  EXPECT_DOUBLE_EQ(tokens.at(5), 320);
  EXPECT_DOUBLE_EQ(tokens.at(6), 1384);
  EXPECT_DOUBLE_EQ(tokens.at(10), 1640);
}

TEST(StepTokens, AreThoseOfAnotherRunAsFarAsBothGo) {
  const StepTokens ramp = tokens_of({16, 16, 32, 64, 64});
  EXPECT_FALSE(ramp.differ_from(tokens_of({16, 16, 32})));
  EXPECT_FALSE(tokens_of({16, 16, 32}).differ_from(ramp));
  EXPECT_TRUE(ramp.differ_from(tokens_of({16, 16, 16})));
  EXPECT_TRUE(tokens_of({40, 40, 40, 40, 32}).differ_from(ramp)) << "as many in all";
  EXPECT_FALSE(ramp.differ_from(StepTokens()));
  EXPECT_FALSE(StepTokens().differ_from(ramp));
}

TEST(StepTokens, StayNearInALogThatChangesAllTheTime) {
  StepTokens tokens;
  std::int64_t sum = 0;
  for (std::int64_t step = 1; step <= 100'000; ++step) {
    sum += 1 + (step * step) % 7;
    tokens.add(step, sum);
  }
  EXPECT_DOUBLE_EQ(tokens.at(100'000), static_cast<double>(sum));
  EXPECT_NEAR(tokens.at(50'000), static_cast<double>(sum) / 2, 0.01 * static_cast<double>(sum));
}

}  // namespace
}  // namespace chainrule::pipeline::watch::curves
