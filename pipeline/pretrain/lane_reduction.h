#pragma once
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "model/arena.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/lanes.h"
#include "pipeline/pretrain/block_ownership.h"

namespace chainrule::pipeline {

/// One step's gradients on this rank: the arenas in which its lanes are accumulated, and their sum over all ranks. The
/// sum has the same bits for every number of ranks up to the number of lanes. communicator outlives it.
class LaneReduction {
 public:
  LaneReduction(const Communicator& communicator, const LanePlan& plan, const BlockOwnership& ownership);

  /// This rank's lanes, in the order in which it takes them.
  const std::vector<LaneTurn>& turns() const { return mine_.turns; }
  std::int64_t arena_count() const { return static_cast<std::int64_t>(arenas_.size()); }

  /// The arena of turns()[turn], set to zero: every micro-batch of the turn adds its gradient there.
  std::span<float> begin(std::size_t turn);
  /// Adds a finished turn to the sums before it; for the last turn reduce() does so, bucket by bucket.
  void finish(std::size_t turn);

  /// Adds a bucket over all ranks once this rank's last turn has finished it: afterwards gradients() holds the whole
  /// sum in this rank's slice of the bucket. Collective; buckets in the same order on every rank. May run beside what
  /// writes to other buckets. Throws std::runtime_error when stopped before the other ranks came.
  void reduce(std::int64_t bucket, const std::stop_token& stop);

  /// [arena]: after reduce(), the summed gradient in this rank's slices; nothing of meaning elsewhere.
  std::span<const float> gradients() const { return arenas_.front().span(); }

 private:
  void merge(const Merge& merge, model::ParameterRange range);

  const Communicator& communicator_;
  BlockOwnership ownership_;
  RankPlan mine_;
  CombinePlan combine_;
  std::vector<model::Arena> arenas_;
  model::Arena received_;        // a slice for each leaf of another rank
  std::int64_t slice_capacity_;  // elements of the largest slice of this rank
};

}  // namespace chainrule::pipeline
