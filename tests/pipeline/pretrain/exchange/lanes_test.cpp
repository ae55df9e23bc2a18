#include "pipeline/pretrain/exchange/lanes.h"

#include <gtest/gtest.h>

#include <bit>
#include <optional>
#include <vector>

#include "tests/pipeline/pretrain/exchange/micro_batch_values.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

/// The definition: a lane adds in index order, lanes add along the complete binary tree, empty lanes are skipped.
std::optional<float> tree_sum(const std::vector<float>& values, std::int64_t lanes, std::int64_t first,
                              std::int64_t size) {
  if (size == 1) {
    const auto count = static_cast<std::int64_t>(values.size());
    std::optional<float> sum;
    for (auto i = first * count / lanes; i < (first + 1) * count / lanes; ++i) {
      sum = sum.value_or(0.0F) + values[static_cast<std::size_t>(i)];
    }
    return sum;
  }
  const auto left = tree_sum(values, lanes, first, size / 2);
  const auto right = tree_sum(values, lanes, first + size / 2, size / 2);
  if (left && right) return *left + *right;
  return left ? left : right;
}

/// Plays a step as its plans say, with the arenas they ask for.
float played(const std::vector<float>& values, std::int64_t lanes, int ranks) {
  const LanePlan plan(static_cast<std::int64_t>(values.size()), lanes, ranks);
  std::vector<std::vector<float>> arenas;
  for (int rank = 0; rank < ranks; ++rank) {
    const RankPlan mine = plan.rank_plan(rank);
    auto& sums = arenas.emplace_back(static_cast<std::size_t>(mine.arenas), NAN);
    for (const LaneAccumulation& lane : mine.lanes) {
      float& sum = sums.at(static_cast<std::size_t>(lane.arena));
      sum = 0;
      for (auto i = lane.micro_batches.begin; i < lane.micro_batches.end; ++i)
        sum += values[static_cast<std::size_t>(i)];
      for (const Merge& merge : lane.merges) {
        sums.at(static_cast<std::size_t>(merge.into)) += sums.at(static_cast<std::size_t>(merge.from));
        sums.at(static_cast<std::size_t>(merge.from)) = NAN;  // whoever still reads it is found out
      }
    }
  }
  const CombinePlan combine = plan.combine_plan();
  std::vector<float> leaves;
  for (const auto& leaf : combine.leaves) {
    leaves.push_back(arenas.at(static_cast<std::size_t>(leaf.rank)).at(static_cast<std::size_t>(leaf.arena)));
  }
  for (const Merge& merge : combine.merges) {
    leaves.at(static_cast<std::size_t>(merge.into)) += leaves.at(static_cast<std::size_t>(merge.from));
    leaves.at(static_cast<std::size_t>(merge.from)) = NAN;
  }
  return leaves.at(0);
}

TEST(Lanes, SumHasTheSameBitsForEveryRankCount) {
  for (const std::int64_t lanes : {1, 2, 4, 8, 16, 32}) {
    for (const std::int64_t micro_batches : {1, 2, 3, 5, 7, 8, 12, 13, 16, 31, 64, 100}) {
      const auto values = micro_batch_values(micro_batches, 11);
      const float expected = tree_sum(values, lanes, 0, lanes).value();
      for (int ranks = 1; ranks <= lanes; ++ranks) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(played(values, lanes, ranks)), std::bit_cast<std::uint32_t>(expected))
            << lanes << " lanes, " << micro_batches << " micro-batches, " << ranks << " ranks";
      }
    }
  }
}

/// The control: adding whole ranks in rank order, as an ordinary all-reduce may, gives other bits on other rank counts.
TEST(Lanes, SumsByRankAloneWouldDiffer) {
  const auto values = micro_batch_values(100, 11);
  const auto by_rank = [&](int ranks) {
    float total = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      float sum = 0;
      const IndexRange mine = part_of(100, rank, ranks);
      for (auto i = mine.begin; i < mine.end; ++i) sum += values[static_cast<std::size_t>(i)];
      total += sum;
    }
    return total;
  };
  EXPECT_NE(by_rank(3), by_rank(4));
}

TEST(Lanes, EveryMicroBatchIsTakenOnce) {
  for (const std::int64_t lanes : {1, 8, 32}) {
    for (const std::int64_t micro_batches : {1, 5, 8, 33}) {
      for (int ranks = 1; ranks <= lanes; ++ranks) {
        const LanePlan plan(micro_batches, lanes, ranks);
        std::vector<int> taken(static_cast<std::size_t>(micro_batches));
        for (int rank = 0; rank < ranks; ++rank) {
          for (const LaneAccumulation& lane : plan.rank_plan(rank).lanes) {
            EXPECT_GT(lane.micro_batches.size(), 0);
            for (auto i = lane.micro_batches.begin; i < lane.micro_batches.end; ++i)
              ++taken.at(static_cast<std::size_t>(i));
          }
        }
        EXPECT_EQ(taken, std::vector<int>(taken.size(), 1));
      }
    }
  }
}

TEST(Lanes, NeedsFewArenas) {
  for (const std::int64_t lanes : {1, 2, 4, 8, 16, 32, 64, 128}) {
    const auto bound = static_cast<std::int64_t>(std::bit_width(static_cast<unsigned>(lanes)));  // log2 S + 1
    for (int ranks = 1; ranks <= lanes; ++ranks) {
      for (const std::int64_t micro_batches : {lanes / 2 + 1, 3 * lanes}) {
        const LanePlan plan(micro_batches, lanes, ranks);
        for (int rank = 0; rank < ranks; ++rank) {
          const RankPlan mine = plan.rank_plan(rank);
          EXPECT_LE(mine.arenas, ranks == lanes ? 1 : bound) << lanes << " lanes, rank " << rank << " of " << ranks;
          EXPECT_GE(mine.arenas, 1);
          EXPECT_LE(static_cast<std::int64_t>(mine.subtrees.size()), mine.arenas);
        }
      }
    }
  }
}

TEST(Lanes, RankKeepsTheLargestWholeSubtrees) {
  const LanePlan plan(8, 8, 3);  // lanes 0-1, 2-4, 5-7
  EXPECT_EQ(plan.rank_plan(0).subtrees, (std::vector<Subtree>{{0, 2}}));
  EXPECT_EQ(plan.rank_plan(1).subtrees, (std::vector<Subtree>{{2, 2}, {4, 1}}));
  EXPECT_EQ(plan.rank_plan(2).subtrees, (std::vector<Subtree>{{6, 2}, {5, 1}}));
  EXPECT_EQ(LanePlan(8, 8, 1).rank_plan(0).subtrees, (std::vector<Subtree>{{0, 8}}));
}

TEST(Lanes, LeavesAreTheSubtreesThatRanksKeepInLaneOrder) {
  for (const std::int64_t micro_batches : {2, 5, 16}) {
    for (int ranks = 1; ranks <= 16; ++ranks) {
      const LanePlan plan(micro_batches, 16, ranks);
      std::size_t kept = 0;
      for (int rank = 0; rank < ranks; ++rank) kept += plan.rank_plan(rank).subtrees.size();
      std::int64_t next_lane = 0;
      const CombinePlan combine = plan.combine_plan();
      EXPECT_EQ(combine.leaves.size(), kept);
      for (const auto& leaf : combine.leaves) {
        const Subtree subtree = plan.rank_plan(leaf.rank).subtrees.at(static_cast<std::size_t>(leaf.arena));
        EXPECT_GE(subtree.first_lane, next_lane);
        next_lane = subtree.first_lane + subtree.lanes;
      }
    }
  }
}

TEST(Lanes, OneRankCombinesAlone) { EXPECT_TRUE(LanePlan(13, 8, 1).combine_plan().merges.empty()); }

TEST(Lanes, DefaultIsEightOrThePowerOfTwoAboveTheRanks) {
  EXPECT_EQ(default_lanes(1), 8);
  EXPECT_EQ(default_lanes(8), 8);
  EXPECT_EQ(default_lanes(9), 16);
  EXPECT_EQ(default_lanes(64), 64);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange
