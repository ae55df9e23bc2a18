#include "pipeline/pretrain/exchange/lane_reduction.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

void add(float* into, const float* from, std::int64_t count) {
  constexpr std::int64_t kWorthThreads = 16'384;  // more than a late row
#pragma omp parallel for simd schedule(static) if (count >= kWorthThreads)
  for (std::int64_t i = 0; i < count; ++i) into[i] += from[i];
}

}  // namespace

LaneReduction::LaneReduction(const comm::Communicator& communicator, const Ownership& ownership, std::int64_t lanes)
    : GradientReduction(communicator, ownership), lanes_(lanes) {}

void LaneReduction::make_room(std::int64_t micro_batches) {
  const LanePlan plan = plan_of(micro_batches);
  const int rank = communicator().rank();
  const std::int64_t arenas = plan.rank_plan(rank).arenas;
  while (static_cast<std::int64_t>(arenas_.size()) < arenas) arenas_.emplace_back(ownership().arena_size());
  const std::vector<CombinePlan::Leaf> leaves = plan.combine_plan().leaves;
  make_room_for_leaves(std::ranges::count_if(leaves, [&](const auto& leaf) { return leaf.rank != rank; }));
}

void LaneReduction::plan(std::int64_t micro_batches) {
  make_room(micro_batches);
  const int rank = communicator().rank();
  const LanePlan plan = plan_of(micro_batches);
  mine_ = plan.rank_plan(rank);
  combine_ = plan.combine_plan();
  std::vector<Leaf> leaves;
  for (const CombinePlan::Leaf& leaf : combine_.leaves) {
    leaves.push_back({leaf.rank, leaf.rank == rank ? arena(leaf.arena).data() : nullptr});
  }
  set_leaves(std::move(leaves));
  std::vector<Pass> passes;
  lane_of_.clear();
  for (std::size_t lane = 0; lane < mine_.lanes.size(); ++lane) {
    const IndexRange of_lane = mine_.lanes[lane].micro_batches;
    for (std::int64_t index = of_lane.begin; index < of_lane.end; ++index) {
      passes.push_back({index, index > of_lane.begin, false});
      lane_of_.push_back(lane);
    }
  }
  if (passes.empty()) passes.emplace_back();
  passes.back().exchanged = true;
  set_passes(std::move(passes));
}

std::span<float> LaneReduction::begin_pass(std::size_t pass) {
  return lane_of_.empty() ? std::span<float>() : arena(mine_.lanes[lane_of_[pass]].arena).span();
}

void LaneReduction::end_pass(std::size_t pass) {
  if (passes()[pass].exchanged || lane_of_[pass] == lane_of_[pass + 1]) return;
  for (const Merge& each : mine_.lanes[lane_of_[pass]].merges) merge(each, {0, ownership().arena_size()});
}

void LaneReduction::merge(const Merge& merge, model::shape::ParameterRange range) {
  add(arena(merge.into).data() + range.begin, arena(merge.from).data() + range.begin, range.end - range.begin);
}

void LaneReduction::complete(model::shape::ParameterRange range) {
  if (mine_.lanes.empty()) return;
  for (const Merge& each : mine_.lanes.back().merges) merge(each, range);
}

void LaneReduction::combine(const std::vector<float*>& leaves, std::int64_t offset,
                            model::shape::ParameterRange range) {
  const std::int64_t count = range.end - range.begin;
  for (const Merge& each : combine_.merges) {
    add(leaves[static_cast<std::size_t>(each.into)] + offset, leaves[static_cast<std::size_t>(each.from)] + offset,
        count);
  }
  float* result = arenas_.front().data() + range.begin;
  if (leaves.front() + offset != result) std::copy_n(leaves.front() + offset, count, result);
}

}  // namespace chainrule::pipeline::pretrain::exchange
