#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::optimizer {

/// The norm of gradients of which each rank holds its own slices, added block by block in arena order, so that it has
/// the same bits on every rank and for any number of them. communicator and ownership outlive it.
class GradientNorm {
 public:
  GradientNorm(const comm::Communicator& communicator, const exchange::Ownership& ownership);

  /// gradients [arena]. Collective.
  double of(std::span<const float> gradients);

 private:
  const comm::Communicator& communicator_;
  const exchange::Ownership& ownership_;
  std::vector<double> block_sums_;            // by rank, then by that rank's blocks
  std::vector<std::size_t> block_sum_bytes_;  // of each rank
  std::vector<std::size_t> place_of_block_;   // index into block_sums_
  std::size_t first_own_place_ = 0;
};

}  // namespace chainrule::pipeline::pretrain::optimizer
