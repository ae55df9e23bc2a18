#include "pipeline/pretrain/exchange/rounds.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tests/pipeline/pretrain/exchange/micro_batch_values.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

/// The definition of a round: its micro-batches lie in lanes from the first on, empty lanes are skipped.
std::optional<float> round_sum(const std::vector<float>& values, std::int64_t first, std::int64_t lanes) {
  if (first >= static_cast<std::int64_t>(values.size())) return {};
  if (lanes == 1) return values[static_cast<std::size_t>(first)];
  const auto left = round_sum(values, first, lanes / 2);
  const auto right = round_sum(values, first + lanes / 2, lanes / 2);
  return right ? *left + *right : left;
}

float defined_sum(const std::vector<float>& values, std::int64_t lanes) {
  float total = round_sum(values, 0, lanes).value();
  for (std::int64_t first = lanes; first < static_cast<std::int64_t>(values.size()); first += lanes) {
    total += round_sum(values, first, lanes).value();
  }
  return total;
}

/// Plays a step as its plan says, with the slots that it asks for; what nobody wrote, or was read for the last time, is
/// no number.
float played(const std::vector<float>& values, const RoundPlan& plan, int ranks) {
  std::vector<float> slots(static_cast<std::size_t>(plan.slots()), NAN);
  for (const Turn& turn : plan.turns()) {
    std::vector<float> operands(static_cast<std::size_t>(ranks), NAN);
    for (std::int64_t leaf = 0; leaf < turn.leaves; ++leaf) {
      operands[static_cast<std::size_t>(leaf)] = values.at(static_cast<std::size_t>(turn.first_micro_batch + leaf));
    }
    operands.insert(operands.end(), slots.begin(), slots.end());
    for (const Merge& merge : turn.merges) {
      operands.at(static_cast<std::size_t>(merge.into)) += operands.at(static_cast<std::size_t>(merge.from));
      operands.at(static_cast<std::size_t>(merge.from)) = NAN;
    }
    slots.assign(operands.begin() + ranks, operands.end());
    for (const Merge& each : turn.kept) {
      EXPECT_LT(each.from, ranks);
      float& slot = slots.at(static_cast<std::size_t>(each.into));
      EXPECT_TRUE(std::isnan(slot)) << "a sum that is needed is overwritten";
      slot = std::exchange(operands.at(static_cast<std::size_t>(each.from)), NAN);
    }
    for (int leaf = 0; leaf < ranks; ++leaf) {
      EXPECT_TRUE(std::isnan(operands[static_cast<std::size_t>(leaf)])) << "a leaf that is in no sum";
    }
  }
  for (std::size_t slot = 1; slot < slots.size(); ++slot) {
    EXPECT_TRUE(std::isnan(slots[slot])) << "a sum that is in no other";
  }
  return slots.front();
}

TEST(Rounds, SumHasTheBitsOfTheDefinitionForEveryRankCount) {
  for (const std::int64_t lanes : {1, 2, 4, 8, 16, 32}) {
    for (const std::int64_t micro_batches : {1, 2, 3, 5, 7, 8, 12, 13, 16, 31, 64, 100}) {
      const auto values = micro_batch_values(micro_batches, 12);
      const float expected = defined_sum(values, lanes);
      for (int ranks = 1; ranks <= lanes; ++ranks) {
        const RoundPlan plan(micro_batches, lanes, ranks);
        EXPECT_EQ(std::bit_cast<std::uint32_t>(played(values, plan, ranks)), std::bit_cast<std::uint32_t>(expected))
            << lanes << " lanes, " << micro_batches << " micro-batches, " << ranks << " ranks";
      }
    }
  }
}

/// The control: sums in index order, and rounds in another, are others.
TEST(Rounds, OtherOrdersHaveOtherBits) {
  const auto values = micro_batch_values(24, 12);
  float in_order = 0;
  for (const float value : values) in_order += value;
  EXPECT_NE(defined_sum(values, 8), in_order);
  const float last_first =
      round_sum(values, 16, 8).value() + round_sum(values, 8, 8).value() + round_sum(values, 0, 8).value();
  EXPECT_NE(defined_sum(values, 8), last_first);
}

TEST(Rounds, EveryMicroBatchIsTakenOnceInOrder) {
  for (const std::int64_t lanes : {1, 8, 32}) {
    for (const std::int64_t micro_batches : {1, 5, 8, 33}) {
      for (int ranks = 1; ranks <= lanes; ++ranks) {
        std::int64_t next = 0;
        const RoundPlan plan(micro_batches, lanes, ranks);
        for (const Turn& turn : plan.turns()) {
          EXPECT_EQ(turn.first_micro_batch, next);
          EXPECT_GE(turn.leaves, 1);
          EXPECT_LE(turn.leaves, ranks);
          next += turn.leaves;
        }
        EXPECT_EQ(next, micro_batches);
      }
    }
  }
}

TEST(Rounds, NeedsFewSlots) {
  for (const std::int64_t lanes : {1, 2, 4, 8, 16, 32, 64, 128}) {
    for (std::int64_t ranks = 1; ranks <= lanes; ranks *= 2) {
      const auto pending = static_cast<std::int64_t>(std::countr_zero(static_cast<std::uint64_t>(lanes / ranks)));
      const auto slots = [&](std::int64_t micro_batches) {
        return RoundPlan(micro_batches, lanes, static_cast<int>(ranks)).slots();
      };
      EXPECT_EQ(slots(3 * lanes), pending + 1) << lanes << " lanes, " << ranks << " ranks";
      EXPECT_EQ(slots(lanes), std::max<std::int64_t>(pending, 1)) << lanes << " lanes, " << ranks << " ranks";
    }
    for (int ranks = 1; ranks <= lanes; ++ranks) {
      EXPECT_LE(RoundPlan(3 * lanes, lanes, ranks).slots(), std::bit_width(static_cast<std::uint64_t>(lanes)));
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange
