#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/arena.h"
#include "model/optimizer/adamw.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::optimizer {

/// AdamW with its state divided over ranks: each holds the moments of its own slices, updates those. (StepExchange
/// gives the ranks each other's parameters.) communicator and ownership outlive it.
class ShardedAdamW {
 public:
  ShardedAdamW(const comm::Communicator& communicator, const model::shape::ParameterTable& table,
               const exchange::Ownership& ownership);

  /// Euclidean norm of the gradients [arena], of which each rank holds its own slices; added block by block in arena
  /// order, so it has the same bits on every rank and for any number of them. Collective.
  double gradient_norm(std::span<const float> gradients);

  /// One step (from 1) on this rank's slices of parameters [arena].
  void update(const model::optimizer::AdamWOptions& options, std::int64_t step, double gradient_scale,
              std::span<const float> gradients, std::span<float> parameters);

  /// This rank's slices of the arena and their moments, side by side in that order.
  const std::vector<model::shape::ParameterRange>& slices() const { return slices_; }
  std::span<float> first_moment() { return first_moment_.span(); }
  std::span<float> second_moment() { return second_moment_.span(); }

 private:
  const comm::Communicator& communicator_;
  const exchange::Ownership& ownership_;
  std::vector<model::shape::ParameterRange> decay_ranges_;
  std::vector<model::shape::ParameterRange> slices_;
  model::Arena first_moment_;
  model::Arena second_moment_;
  std::vector<double> block_sums_;            // by rank, then by that rank's blocks
  std::vector<std::size_t> block_sum_bytes_;  // of each rank
  std::vector<std::size_t> place_of_block_;   // index into block_sums_
  std::size_t first_own_place_ = 0;
};

}  // namespace chainrule::pipeline::pretrain::optimizer
