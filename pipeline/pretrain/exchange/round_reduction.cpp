#include "pipeline/pretrain/exchange/round_reduction.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {

RoundReduction::RoundReduction(const comm::Communicator& communicator, const Ownership& ownership, std::int64_t lanes,
                               model::shape::ParameterRange rows)
    : GradientReduction(communicator, ownership),
      lanes_(lanes),
      plan_(plan_of(1)),
      backward_(ownership.arena_size(), model::Backing::sparse) {
  // Late rows, few and far between, would hold all of a parameter's huge pages.
  backward_.prefer_huge_pages(0, rows.begin);
  backward_.prefer_huge_pages(rows.end, ownership.arena_size());
}

void RoundReduction::make_room(std::int64_t micro_batches) {
  const RoundPlan plan = plan_of(micro_batches);
  while (static_cast<std::int64_t>(slots_.size()) < plan.slots()) {
    slots_.emplace_back(ownership().arena_size(), model::Backing::sparse);
  }
  make_room_for_leaves(plan.turns().front().leaves - (communicator().rank() < plan.turns().front().leaves ? 1 : 0));
}

void RoundReduction::plan(std::int64_t micro_batches) {
  make_room(micro_batches);
  plan_ = plan_of(micro_batches);
  std::vector<Pass> passes;
  for (const Turn& turn : plan_.turns()) {
    Pass& pass = passes.emplace_back();
    pass.exchanged = true;
    if (communicator().rank() < turn.leaves) pass.micro_batch = turn.first_micro_batch + communicator().rank();
  }
  set_passes(std::move(passes));
}

std::span<float> RoundReduction::begin_pass(std::size_t pass) {
  turn_ = pass;
  std::vector<Leaf> leaves;
  for (int rank = 0; rank < static_cast<int>(plan_.turns()[turn_].leaves); ++rank) {
    leaves.push_back({rank, rank == communicator().rank() ? backward_.data() : nullptr});
  }
  set_leaves(std::move(leaves));
  return backward_.span();
}

void RoundReduction::combine(const std::vector<float*>& leaves, std::int64_t offset,
                             model::shape::ParameterRange range) {
  const Turn& turn = plan_.turns()[turn_];
  const std::int64_t first_slot = plan_.operand_of(0);
  const auto slot = [&](std::int64_t index) { return slots_[static_cast<std::size_t>(index)].data() + range.begin; };
  const auto operand = [&](std::int64_t index) {
    return index < first_slot ? leaves[static_cast<std::size_t>(index)] + offset : slot(index - first_slot);
  };
  const std::int64_t count = range.end - range.begin;
  constexpr std::int64_t kPiece = 8'192;  // of all operands, near the thread that adds them
#pragma omp parallel for schedule(static) if (count > 2 * kPiece)
  for (std::int64_t begin = 0; begin < count; begin += kPiece) {
    const std::int64_t piece = std::min(kPiece, count - begin);
    for (const Merge& merge : turn.merges) {
      float* into = operand(merge.into) + begin;
      const float* from = operand(merge.from) + begin;
#pragma omp simd
      for (std::int64_t i = 0; i < piece; ++i) into[i] += from[i];
    }
    for (const Merge& each : turn.kept) std::copy_n(operand(each.from) + begin, piece, slot(each.into) + begin);
  }
}

void RoundReduction::finished(model::shape::ParameterRange bucket) {
  for (const model::shape::ParameterRange& range : without(bucket, late())) backward_.release(range.begin, range.end);
}

void RoundReduction::end_exchange() {
  GradientReduction::end_exchange();
  backward_.release(0, backward_.size());  // what was late, and pages in which two buckets meet
}

}  // namespace chainrule::pipeline::pretrain::exchange
