#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/pretrain/exchange/lanes.h"

namespace chainrule::pipeline::pretrain::exchange {

// In which order a step's gradients are added where ranks add them after each micro-batch, so that the bits of the sum
// are the same on any number of ranks. With S lanes (a power of two), round j is the micro-batches [jS, (j+1)S) as far
// as there are any, one a lane; a round's are added along the complete binary tree over lane indices, where an empty
// lane is skipped; rounds are added one after the other. Everything here is arithmetic.

/// What happens once each rank has gone through the model at most once. Operands are, by their index, the ranks' leaves
/// (a leaf is the gradient of the rank's micro-batch) and behind them the slots, all over the slices of one rank; the
/// same on every rank.
struct Turn {
  std::int64_t first_micro_batch = 0;  ///< rank r takes the r-th from here on
  std::int64_t leaves = 0;             ///< ranks that have one: the first so many, at least 1
  std::vector<Merge> merges;           ///< over operands, in order
  std::vector<Merge> kept;             ///< then: what lies at the leaf `from` replaces the slot `into`
};

/// How micro_batches (at least 1) in lanes (a power of two) fall on turns of ranks (at most lanes).
class RoundPlan {
 public:
  RoundPlan(std::int64_t micro_batches, std::int64_t lanes, int ranks);

  const std::vector<Turn>& turns() const { return turns_; }
  /// Sums that outlive a turn, at most: where ranks are a power of two, log2(lanes / ranks) and one more where there
  /// is more than one round. The step's sum ends in the first.
  std::int64_t slots() const { return slots_; }
  /// The index of a slot among operands.
  std::int64_t operand_of(std::int64_t slot) const { return ranks_ + slot; }

 private:
  void add_round(IndexRange micro_batches);

  std::int64_t ranks_;
  std::int64_t slots_ = 1;
  std::vector<Turn> turns_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
