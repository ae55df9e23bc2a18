// The reduction of gradients and the sharded optimizer over real ranks, against a plain serial computation: bit by bit.
#include "pipeline/pretrain/exchange/step_exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "model/shape/config.h"
#include "pipeline/pretrain/exchange/arena_ranges.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/lane_reduction.h"
#include "pipeline/pretrain/exchange/matrix_ownership.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"
#include "pipeline/pretrain/exchange/round_reduction.h"
#include "pipeline/pretrain/optimizer/gradient_norm.h"
#include "pipeline/pretrain/optimizer/sharded_adamw.h"
#include "tests/support/mpi_world.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

constexpr std::int64_t kLanes = 8;
constexpr std::int64_t kBucketBlocks = 3;

/// Five blocks and a ragged one, in two buckets; widths of a model that nobody runs.
model::shape::Config shape() {
  model::shape::Config config;
  config.layers = 2;
  config.heads = 2;
  config.width = 104;
  config.feed_forward_width = 416;
  config.vocabulary_size = 900;
  config.sequence_length = 16;
  return config;
}

/// Element i of micro-batch m's gradient; sizes differ widely, so that another order of addition shows.
float gradient(std::int64_t m, std::int64_t i) {
  auto hash = static_cast<std::uint64_t>(m * 1'000'003 + i) * 0x9e3779b97f4a7c15U;
  hash ^= hash >> 29U;
  hash *= 0xbf58476d1ce4e5b9U;
  const auto mantissa = static_cast<float>(static_cast<std::int64_t>(hash >> 40U) - (std::int64_t{1} << 23U));
  return mantissa * (static_cast<float>(std::uint64_t{1} << (hash & 15U)) * 0x1p-30F);
}

/// Its first `count` elements, made once.
std::span<const float> gradients(std::int64_t m, std::size_t count) {
  static std::map<std::int64_t, std::vector<float>> made;
  std::vector<float>& values = made[m];
  values.reserve(count);
  while (values.size() < count) values.push_back(gradient(m, static_cast<std::int64_t>(values.size())));
  return std::span(values).first(count);
}

using Range = model::shape::ParameterRange;
using Sum = std::vector<float>;  // of a range's elements; empty where no micro-batch is

Sum gradients_in(std::int64_t m, Range range) {
  const auto values = gradients(m, static_cast<std::size_t>(range.end)).subspan(static_cast<std::size_t>(range.begin));
  return {values.begin(), values.end()};
}

Sum plus(Sum left, Sum right) {
  if (left.empty()) return right;
  if (!right.empty()) std::transform(left.begin(), left.end(), right.begin(), left.begin(), std::plus<>());
  return left;
}

Sum tree_sum(std::int64_t micro_batches, std::int64_t first_lane, std::int64_t lanes, Range range) {
  if (lanes == 1) {
    Sum sum;
    for (auto m = first_lane * micro_batches / kLanes; m < (first_lane + 1) * micro_batches / kLanes; ++m) {
      sum = plus(std::move(sum), gradients_in(m, range));
    }
    return sum;
  }
  return plus(tree_sum(micro_batches, first_lane, lanes / 2, range),
              tree_sum(micro_batches, first_lane + lanes / 2, lanes / 2, range));
}

/// Of `count` micro-batches from `first` on, one in each of the first of these lanes.
Sum round_sum(std::int64_t first, std::int64_t count, std::int64_t lanes, Range range) {
  if (count <= 0) return {};
  if (lanes == 1) return gradients_in(first, range);
  return plus(round_sum(first, std::min(count, lanes / 2), lanes / 2, range),
              round_sum(first + lanes / 2, count - lanes / 2, lanes / 2, range));
}

Sum rounds_sum(std::int64_t micro_batches, Range range) {
  Sum total;
  for (std::int64_t first = 0; first < micro_batches; first += kLanes) {
    total = plus(std::move(total), round_sum(first, std::min(micro_batches - first, kLanes), kLanes, range));
  }
  return total;
}

Sum serial_sum(ZeroStage stage, std::int64_t micro_batches, Range range) {
  return stage == ZeroStage::one ? tree_sum(micro_batches, 0, kLanes, range) : rounds_sum(micro_batches, range);
}

constexpr ZeroStage kStages[] = {ZeroStage::one, ZeroStage::two};

/// Begins a pass, and leaves the gradients of its micro-batch in the arena, as backward does; empty where it has none.
std::span<float> compute(GradientReduction& reduction, std::size_t pass) {
  const std::span<float> arena = reduction.begin_pass(pass);
  const Pass& about = reduction.passes()[pass];
  if (!about.micro_batch) return {};
  if (!about.accumulates) std::fill(arena.begin(), arena.end(), 0.0F);
  const std::span<const float> values = gradients(*about.micro_batch, arena.size());
  std::transform(arena.begin(), arena.end(), values.begin(), arena.begin(), std::plus<>());
  reduction.end_pass(pass);
  return arena;
}

/// Takes a range's elements out of a lane's arena, as if they were not computed yet, and puts them back.
class HeldBack {
 public:
  HeldBack(std::span<float> arena, const ArenaRanges& ranges)
      : arena_(arena), ranges_(ranges), values_(static_cast<std::size_t>(elements_of(ranges))) {
    pack(arena.data(), ranges, values_.data());
    for (const auto& range : ranges) {
      std::fill(arena.data() + range.begin, arena.data() + range.end, std::numeric_limits<float>::quiet_NaN());
    }
  }
  void put_back() { unpack(values_.data(), ranges_, arena_.data()); }

 private:
  std::span<float> arena_;
  ArenaRanges ranges_;
  std::vector<float> values_;
};

/// An exchange in which the arena (empty on a rank without leaves) lacks what is late until buckets are finished.
void sum_up(GradientReduction& reduction, const Ownership& ownership, std::span<float> arena, const ArenaRanges& late) {
  reduction.set_late(late);
  HeldBack held(arena, arena.empty() ? ArenaRanges() : late);
  for (std::int64_t bucket = 0; bucket < ownership.bucket_count(); ++bucket) {
    reduction.begin_bucket(ownership.bucket_count() - 1 - bucket);
    if (bucket > 0) reduction.finish_bucket({});
  }
  reduction.finish_bucket({});
  held.put_back();
  if (!late.empty()) {
    reduction.begin_late();
    reduction.finish_late({});
  }
  reduction.end_exchange();
}

void expect_serial_sums(ZeroStage stage) {
  const comm::Communicator& world = tests::world();
  constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
  const std::int64_t size = 5 * kBlock + 1003;
  const BlockOwnership ownership(size, world.size(), kBucketBlocks);
  const ArenaRanges slices = ownership.slices_of(world.rank());
  // Within a slice, over the bounds of slices and of buckets, and to the end.
  const ArenaRanges some = {
      {1, 2}, {77, 4000}, {kBlock - 5, 2 * kBlock + 9}, {3 * kBlock - 1, 3 * kBlock}, {size - 7, size}};
  std::unique_ptr<GradientReduction> made;
  if (stage == ZeroStage::one) made = std::make_unique<LaneReduction>(world, ownership, kLanes);
  if (stage == ZeroStage::two) {
    made = std::make_unique<RoundReduction>(world, ownership, kLanes, Range{kBlock, 3 * kBlock});
  }
  GradientReduction& reduction = *made;
  for (const std::int64_t micro_batches : {3, 19, 13, 8}) {  // sums of several rounds and of one, and empty lanes
    std::vector<std::vector<float>> expected;                // of each of this rank's slices
    for (const auto& slice : slices) expected.push_back(serial_sum(stage, micro_batches, slice));
    reduction.plan(micro_batches);
    int exchanges = 0;
    for (int step = 0; step < 2; ++step) {  // each finds the one before's remains in the arenas
      for (std::size_t pass = 0; pass < reduction.passes().size(); ++pass) {
        const std::span<float> arena = compute(reduction, pass);
        if (!reduction.passes()[pass].exchanged) continue;
        sum_up(reduction, ownership, arena, exchanges++ % 2 == 1 ? some : ArenaRanges());
      }
      for (std::size_t i = 0; i < slices.size(); ++i) {
        EXPECT_EQ(std::memcmp(reduction.gradients().data() + slices[i].begin, expected[i].data(),
                              expected[i].size() * sizeof(float)),
                  0)
            << micro_batches << " micro-batches, rank " << world.rank() << ", step " << step;
      }
    }
  }
}

TEST(LaneReduction, EqualsTheSerialTreeBitForBit) { expect_serial_sums(ZeroStage::one); }

TEST(RoundReduction, EqualsTheSerialRoundsBitForBit) { expect_serial_sums(ZeroStage::two); }

TEST(RoundReduction, AddsAsLanesDoWhereEachHasOneMicroBatch) {
  constexpr std::int64_t kElements = 100;
  EXPECT_EQ(serial_sum(ZeroStage::one, kLanes, {0, kElements}), serial_sum(ZeroStage::two, kLanes, {0, kElements}));
  EXPECT_NE(serial_sum(ZeroStage::one, 3 * kLanes, {0, kElements}),
            serial_sum(ZeroStage::two, 3 * kLanes, {0, kElements}));
}

/// A micro-batch of some rank in some step; together they touch fewer than half of the rows, and more in step 3.
std::vector<std::uint32_t> inputs_of(int rank, std::int64_t step, std::size_t pass = 0) {
  std::vector<std::uint32_t> tokens;
  for (std::int64_t i = 0; i < (step == 3 ? 600 : 16); ++i) {
    tokens.push_back(static_cast<std::uint32_t>(
        (rank * 331 + step * 57 + static_cast<std::int64_t>(pass) * 101 + i * i * 7 + i) % 900));
  }
  return tokens;
}

constexpr std::int64_t kMicroBatches = 9;  // a lane of stage 1 has two, stage 2 has two rounds

/// Of all of the model's gradient, made once.
const std::vector<float>& sums_of_steps(ZeroStage stage) {
  static std::map<ZeroStage, std::vector<float>> sums;
  std::vector<float>& sum = sums[stage];
  if (sum.empty()) sum = serial_sum(stage, kMicroBatches, {0, model::shape::ParameterTable(shape()).arena_size()});
  return sum;
}

/// Steps with an exchange in which these rows of the arena are late, against one rank's steps, bit by bit. Gradients
/// are announced in pieces and parameters asked for in pieces, as backward and the next forward do; the parameter of
/// the rows as a whole only where it is the output layer too.
void expect_one_ranks_steps(ZeroStage stage, const ParameterRows& rows, bool output_layer, const Ownership& ownership) {
  const comm::Communicator& world = tests::world();
  const model::shape::ParameterTable table(shape());
  const std::int64_t size = table.arena_size();
  ASSERT_GT(size, 4 * model::optimizer::kOptimizerBlock);
  const Range late = rows.all();
  const std::vector<float>& sum = sums_of_steps(stage);
  model::optimizer::AdamWOptions options;
  options.learning_rate = 0.01;
  options.weight_decay = 0.2;

  std::vector<float> expected(static_cast<std::size_t>(size), 0.5F);
  std::vector<float> first(expected.size());
  std::vector<float> second(expected.size());
  double squares = 0;
  for (std::int64_t block = 0; block < ownership.block_count(); ++block) {
    const auto range = ownership.block(block);
    squares += model::optimizer::sum_of_squares(std::span(sum).subspan(
        static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin)));
  }
  StepExchangeOptions exchange_options = {.stage = stage, .lanes = kLanes, .most_rows = 600};
  if (stage == ZeroStage::two) exchange_options.most_ahead = 1;
  StepExchange exchange(world, ownership, rows, exchange_options);
  GradientReduction& reduction = exchange.reduction();
  reduction.plan(kMicroBatches);
  optimizer::ShardedAdamW optimizer(world, ownership, table.decay_ranges(), options);
  std::vector<float> parameters(expected.size(), 0.5F);
  const auto expect_range = [&](Range range) {
    EXPECT_EQ(std::memcmp(parameters.data() + range.begin, expected.data() + range.begin,
                          static_cast<std::size_t>(range.end - range.begin) * sizeof(float)),
              0)
        << "elements from " << range.begin;
  };
  constexpr std::int64_t kPiece = 50'000;
  const auto need_pieces = [&](Range of) {
    for (std::int64_t end = of.end; end > of.begin; end -= kPiece) {
      const Range range = {std::max(of.begin, end - kPiece), end};
      exchange.need(range);
      expect_range(range);
    }
  };
  const auto expect_forward = [&](const std::vector<std::uint32_t>& inputs) {
    const std::int64_t before = std::max<std::int64_t>(0, late.begin - 1000);
    if (output_layer) need_pieces({before, late.begin});
    // What was said of the next inputs in step 4 turns out not to be so on some ranks.
    exchange.need_rows(late, inputs);
    for (const auto& range : rows.of(inputs)) expect_range(range);
    need_pieces({late.end, size});
    need_pieces({0, late.begin});
    if (output_layer) {
      exchange.need(late);
      expect_range({0, size});
    } else {
      const Range other = {late.begin + 10, late.begin + 20};  // not known to have such rows
      exchange.need_rows(other, std::vector<std::uint32_t>{0});
      expect_range(other);
    }
  };
  const auto announce = [&](std::span<float> arena, const std::vector<std::uint32_t>& inputs, bool all) {
    HeldBack others(arena, without({0, size}, {late}));
    HeldBack touched(arena, rows.of(inputs));
    HeldBack early(arena, without(late, rows.of(inputs)));
    exchange.ready_but_late_rows({late.begin, late.end - 1});  // not known to have late rows
    early.put_back();
    exchange.ready_but_late_rows(late);
    others.put_back();
    std::int64_t at = 0;
    for (; at + kPiece < late.begin; at += kPiece) exchange.ready({at, at + kPiece});
    exchange.await_late_rows(late);
    touched.put_back();
    for (; all && at < size; at += kPiece) exchange.ready({at, std::min(at + kPiece, size)});
  };
  for (std::int64_t step = 1; step <= 5; ++step) {
    for (std::size_t pass = 0; pass < reduction.passes().size(); ++pass) {
      const std::vector<std::uint32_t> inputs = inputs_of(world.rank(), step, pass);
      const bool exchanged = reduction.passes()[pass].exchanged;
      const bool has_micro_batch = reduction.passes()[pass].micro_batch.has_value();
      if (exchanged) exchange.expect_rows(has_micro_batch ? inputs : std::vector<std::uint32_t>());
      if (has_micro_batch) expect_forward(inputs);
      const std::span<float> arena = compute(reduction, pass);
      if (exchanged && has_micro_batch) announce(arena, inputs, step % 2 == 0);
      if (exchanged) exchange.finish_reduction();
    }
    model::optimizer::adamw(options, step, 0.125, 0, table.decay_ranges(), expected, sum, first, second);
    EXPECT_EQ(optimizer.gradient_norm(reduction.gradients()), std::sqrt(squares));
    optimizer.update({step, 0.01, 0.125}, reduction.gradients(), parameters);
    exchange.begin_sharing(parameters, !reduction.passes().front().micro_batch ? std::vector<std::uint32_t>()
                                       : step == 4 && world.rank() % 2 == 0    ? std::vector<std::uint32_t>{1, 2}
                                                                               : inputs_of(world.rank(), step + 1));
  }
  exchange.finish_sharing();
  EXPECT_EQ(std::memcmp(parameters.data(), expected.data(), expected.size() * sizeof(float)), 0);
  std::int64_t at = 0;
  const optimizer::OwnedState state = optimizer.state();
  ASSERT_EQ(state.slots.size(), 2U);
  EXPECT_EQ(state.slots[0].name, "first_moment");
  EXPECT_EQ(state.slots[1].name, "second_moment");
  EXPECT_EQ(state.slices, ownership.slices_of(world.rank()));
  for (const auto& slice : state.slices) {
    const auto bytes = static_cast<std::size_t>(slice.end - slice.begin) * sizeof(float);
    EXPECT_EQ(std::memcmp(state.slots[0].values.data() + at, first.data() + slice.begin, bytes), 0);
    EXPECT_EQ(std::memcmp(state.slots[1].values.data() + at, second.data() + slice.begin, bytes), 0);
    at += slice.end - slice.begin;
  }
  for (const auto& slot : state.slots) EXPECT_EQ(static_cast<std::size_t>(at), slot.values.size());
}

BlockOwnership block_ownership() {
  const int ranks = tests::world().size();
  return {model::shape::ParameterTable(shape()).arena_size(), ranks, ranks > 1 ? 1 : kBucketBlocks};
}

TEST(StepExchange, EqualsOneRanksStepsBitForBit) {
  const model::shape::ParameterTable table(shape());
  for (const ZeroStage stage : kStages) {
    expect_one_ranks_steps(stage, {table, table.find("token_embedding.weight")}, true, block_ownership());
  }
}

// Anywhere in the arena: at its beginning, where backward ends elsewhere, and in the middle of buckets.
TEST(StepExchange, LateRowsMayLieAnywhere) {
  constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
  const BlockOwnership ownership = block_ownership();
  for (const ZeroStage stage : kStages) {
    expect_one_ranks_steps(stage, {{0, 2 * kBlock + 1000}, 900, 146}, false, ownership);
    expect_one_ranks_steps(stage, {{60'000, 204'000}, 900, 160}, false, ownership);
    expect_one_ranks_steps(stage, {{60'000, 60'000 + 900 * 4}, 900, 4}, false, ownership);  // within a bucket
  }
}

TEST(StepExchange, RanksMayOwnWholeMatrices) {
  const model::shape::ParameterTable table(shape());
  std::vector<Range> matrices;
  for (const auto& parameter : table.parameters()) {
    if (parameter.shape.size() == 2 && parameter.name.starts_with("layers.")) matrices.push_back(parameter.range());
  }
  ASSERT_EQ(matrices.size(), 8U);
  const MatrixOwnership ownership(table.arena_size(), matrices, tests::world().size(), 70'000);
  for (const ZeroStage stage : kStages) {
    expect_one_ranks_steps(stage, {table, table.find("token_embedding.weight")}, true, ownership);
  }
}

// One block's sum is so large that what is added behind it is lost and what came before it is not.
TEST(GradientNorm, AddsBlocksInArenaOrderWhoeverOwnsThem) {
  constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;
  constexpr std::int64_t kBlocks = 32;
  const BlockOwnership ownership(kBlocks * kBlock, tests::world().size(), 8);
  std::vector<float> gradients(kBlocks * kBlock);
  double sum = 0;
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    const float value = block == 7 ? std::ldexp(1.0F, 27) : std::sqrt(1.9F);
    gradients[static_cast<std::size_t>(block * kBlock + 5)] = value;
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  EXPECT_EQ(optimizer::GradientNorm(tests::world(), ownership).of(gradients), std::sqrt(sum));
  EXPECT_GT(std::sqrt(sum), std::ldexp(1.0, 27));
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange
