#include "pipeline/pretrain/optimizer/gradient_norm.h"

#include <cmath>
#include <cstdint>

#include "model/optimizer/adamw.h"

namespace chainrule::pipeline::pretrain::optimizer {

GradientNorm::GradientNorm(const comm::Communicator& communicator, const exchange::Ownership& ownership)
    : communicator_(communicator),
      ownership_(ownership),
      block_sums_(static_cast<std::size_t>(ownership.block_count())),
      place_of_block_(static_cast<std::size_t>(ownership.block_count())) {
  std::size_t place = 0;
  for (int rank = 0; rank < ownership.ranks(); ++rank) {
    if (rank == communicator.rank()) first_own_place_ = place;
    const std::vector<std::int64_t> blocks = ownership.blocks_of(rank);
    for (const std::int64_t block : blocks) place_of_block_[static_cast<std::size_t>(block)] = place++;
    block_sum_bytes_.push_back(blocks.size() * sizeof(double));
  }
}

double GradientNorm::of(std::span<const float> gradients) {
  const std::vector<std::int64_t> blocks = ownership_.blocks_of(communicator_.rank());
  const auto count = static_cast<std::int64_t>(blocks.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    const model::shape::ParameterRange range = ownership_.block(blocks[static_cast<std::size_t>(i)]);
    block_sums_[first_own_place_ + static_cast<std::size_t>(i)] = model::optimizer::sum_of_squares(
        gradients.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin)));
  }
  communicator_.all_gather_in_place(std::as_writable_bytes(std::span(block_sums_)), block_sum_bytes_);
  double sum = 0;
  for (const std::size_t place : place_of_block_) sum += block_sums_[place];
  return std::sqrt(sum);
}

}  // namespace chainrule::pipeline::pretrain::optimizer
