#include "pipeline/watch/curves/kept_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace chainrule::pipeline::watch::curves {
namespace {

/// Numbers of the lines that hold.
std::vector<std::int64_t> lines_that_hold(const std::vector<std::int64_t>& steps) {
  KeptSteps kept;
  for (std::size_t i = 0; i < steps.size(); ++i) kept.add(static_cast<std::int64_t>(i + 1), steps[i]);
  std::vector<std::int64_t> lines;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (kept.holds(static_cast<std::int64_t>(i + 1), steps[i])) lines.push_back(static_cast<std::int64_t>(i + 1));
  }
  return lines;
}

TEST(KeptSteps, AllHoldWhereNoneIsRepeated) {
  EXPECT_THAT(lines_that_hold({}), testing::IsEmpty());
  EXPECT_THAT(lines_that_hold({1, 2, 5}), testing::ElementsAre(1, 2, 3));
}

TEST(KeptSteps, TheLaterTakingOfAStepHolds) {
  EXPECT_THAT(lines_that_hold({1, 2, 3, 4, 3, 4, 5}), testing::ElementsAre(1, 2, 5, 6, 7));
  EXPECT_THAT(lines_that_hold({1, 2, 3, 3}), testing::ElementsAre(1, 2, 4));
  // Back to 3, on to 5, back to 2: what the first return had left of 2 and beyond is void too.
  EXPECT_THAT(lines_that_hold({1, 2, 3, 4, 3, 4, 5, 2, 3}), testing::ElementsAre(1, 8, 9));
  // What lay beyond the last step is void too: the run has not come so far again.
  EXPECT_THAT(lines_that_hold({1, 2, 3, 4, 5, 6, 3}), testing::ElementsAre(1, 2, 7));
}

TEST(KeptSteps, AsAListThatIsCutAtEachReturn) {
  std::mt19937 random(7);
  for (int run = 0; run < 200; ++run) {
    std::vector<std::int64_t> steps;
    std::vector<std::pair<std::int64_t, std::int64_t>> expected;  // step, line
    std::int64_t step = 0;
    for (std::int64_t line = 1; line <= 60; ++line) {
      step = random() % 8 == 0 ? 1 + static_cast<std::int64_t>(random()) % (step + 1) : step + 1;
      steps.push_back(step);
      while (!expected.empty() && expected.back().first >= step) expected.pop_back();
      expected.emplace_back(step, line);
    }
    std::vector<std::int64_t> lines;
    for (const auto& [at, line] : expected) lines.push_back(line);
    ASSERT_EQ(lines_that_hold(steps), lines);
  }
}

}  // namespace
}  // namespace chainrule::pipeline::watch::curves
