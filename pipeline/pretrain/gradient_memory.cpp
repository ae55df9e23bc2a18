#include "pipeline/pretrain/gradient_memory.h"

#include <algorithm>

#include "pipeline/pretrain/exchange/backward_window.h"
#include "pipeline/pretrain/exchange/gradient_reduction.h"
#include "pipeline/pretrain/exchange/lanes.h"
#include "pipeline/pretrain/exchange/rounds.h"

namespace chainrule::pipeline::pretrain {
namespace {

/// Elements of the embedding's rows that travel apart at the end of an exchange, at most.
std::int64_t late_elements(const PretrainOptions& options, const model::shape::Config& config, int ranks) {
  if (ranks == 1) return 0;
  const std::int64_t inputs = ranks * options.micro_batch * config.sequence_length;
  return std::min(inputs, config.vocabulary_size / 2) * config.width;
}

}  // namespace

std::int64_t gradient_elements(const PretrainOptions& options, const model::shape::ParameterTable& table,
                               const model::shape::Config& config, const exchange::Ownership& ownership) {
  const int ranks = ownership.ranks();
  const std::int64_t late = late_elements(options, config, ranks);
  const std::int64_t window = exchange::backward_window(table, ownership).elements;
  const bool in_rounds = options.zero_stage == exchange::ZeroStage::two;
  std::int64_t most = 0;
  for (const std::int64_t batch : batch_sizes(options).all()) {
    const std::int64_t micro_batches = batch / options.micro_batch;
    const exchange::LanePlan by_lane(micro_batches, options.lanes, ranks);
    const exchange::RoundPlan by_round(in_rounds ? micro_batches : 1, options.lanes, ranks);  // many turns
    const auto leaves =
        in_rounds ? by_round.turns().front().leaves : static_cast<std::int64_t>(by_lane.combine_plan().leaves.size());
    for (int rank = 0; rank < ranks; ++rank) {
      std::int64_t sums = 0;
      std::int64_t local = 0;  // leaves
      if (in_rounds) {
        local = rank < leaves ? 1 : 0;
        sums = by_round.slots() * ownership.elements_of(rank) + local * (window + late);
      } else {
        const exchange::RankPlan mine = by_lane.rank_plan(rank);
        local = static_cast<std::int64_t>(mine.subtrees.size());
        sums = mine.arenas * ownership.arena_size();
      }
      std::int64_t slice = 0;
      for (const auto& each : ownership.slices_of(rank)) slice = std::max(slice, each.end - each.begin);
      const std::int64_t received = exchange::GradientReduction::kInFlight * (leaves - local) * slice +
                                    late / ranks * leaves + (late - late / ranks) * local;
      most = std::max(most, sums + received);
    }
  }
  return most;
}

}  // namespace chainrule::pipeline::pretrain
