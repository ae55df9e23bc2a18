#include "pipeline/pretrain/metrics/slow_rank.h"

#include <gtest/gtest.h>

#include <vector>

namespace chainrule::pipeline::pretrain::metrics {
namespace {

using Ranks = std::vector<RankTime>;

TEST(SlowRank, IsNamedFromATenthBehindTheMedianOn) {
  const auto slow = slowest_behind(Ranks{{10, 5}, {11.5, 5}, {10, 5}}, 1);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->rank, 1);
  EXPECT_NEAR(slow->behind, 0.15, 1e-12);
  EXPECT_FALSE(slowest_behind(Ranks{{10, 5}, {10.9, 5}, {10, 5}}, 1));
  EXPECT_FALSE(slowest_behind(Ranks{{10, 5}, {10, 5}}, 1));
}

TEST(SlowRank, OfTwoRanksTheMedianIsTheirMean) {
  EXPECT_FALSE(slowest_behind(Ranks{{10, 5}, {12, 5}}, 1));
  const auto slow = slowest_behind(Ranks{{15, 5}, {10, 5}}, 1);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->rank, 0);
  EXPECT_NEAR(slow->behind, 0.2, 1e-12);
}

TEST(SlowRank, MoreWorkIsNotSlowness) {
  EXPECT_FALSE(slowest_behind(Ranks{{10, 5}, {20, 10}, {10, 5}}, 1));
  EXPECT_EQ(slowest_behind(Ranks{{20, 5}, {20, 10}, {20, 10}}, 1)->rank, 0);
}

TEST(SlowRank, RanksWithoutWorkAreOfNoAccount) {
  EXPECT_FALSE(slowest_behind(Ranks{{10, 5}, {0, 0}, {0, 0}, {0, 0}}, 1));
  EXPECT_FALSE(slowest_behind(Ranks{}, 1));
  EXPECT_FALSE(slowest_behind(Ranks{{0, 5}, {0, 5}}, 0));
  EXPECT_EQ(slowest_behind(Ranks{{0, 0}, {10, 5}, {10, 5}, {20, 5}}, 1)->rank, 3);
}

TEST(SlowRank, ShortTimesSayNothing) {
  EXPECT_FALSE(slowest_behind(Ranks{{0.1, 5}, {0.3, 5}, {0.1, 5}}, 1));
  EXPECT_TRUE(slowest_behind(Ranks{{0.1, 5}, {0.3, 5}, {0.1, 5}}, 0.05));
}

TEST(SlowRankWarnings, AreGivenAtTheBeginningAndThenSeldom) {
  SlowRankWarnings warnings;
  EXPECT_TRUE(warnings.is_due(1, 10));
  EXPECT_FALSE(warnings.is_due(1, 11));
  EXPECT_TRUE(warnings.is_due(2, 12));
  EXPECT_FALSE(warnings.is_due(1, 10 + SlowRankWarnings::kLooks - 1));
  EXPECT_TRUE(warnings.is_due(1, 10 + SlowRankWarnings::kLooks));
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::metrics
