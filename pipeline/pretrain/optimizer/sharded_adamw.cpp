#include "pipeline/pretrain/optimizer/sharded_adamw.h"

#include <cmath>

namespace chainrule::pipeline::pretrain::optimizer {
namespace {

template <typename Value>
std::span<Value> part(std::span<Value> whole, std::int64_t begin, std::int64_t end) {
  return whole.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

}  // namespace

ShardedAdamW::ShardedAdamW(const comm::Communicator& communicator, const model::shape::ParameterTable& table,
                           const exchange::Ownership& ownership)
    : communicator_(communicator),
      ownership_(ownership),
      decay_ranges_(table.decay_ranges()),
      slices_(ownership.slices_of(communicator.rank())),
      first_moment_(ownership.elements_of(communicator.rank())),
      second_moment_(ownership.elements_of(communicator.rank())),
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

double ShardedAdamW::gradient_norm(std::span<const float> gradients) {
  const std::vector<std::int64_t> blocks = ownership_.blocks_of(communicator_.rank());
  const auto count = static_cast<std::int64_t>(blocks.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    const model::shape::ParameterRange range = ownership_.block(blocks[static_cast<std::size_t>(i)]);
    block_sums_[first_own_place_ + static_cast<std::size_t>(i)] =
        model::optimizer::sum_of_squares(part(gradients, range.begin, range.end));
  }
  communicator_.all_gather_in_place(std::as_writable_bytes(std::span(block_sums_)), block_sum_bytes_);
  double sum = 0;
  for (const std::size_t place : place_of_block_) sum += block_sums_[place];
  return std::sqrt(sum);
}

void ShardedAdamW::update(const model::optimizer::AdamWOptions& options, std::int64_t step, double gradient_scale,
                          std::span<const float> gradients, std::span<float> parameters) {
  std::int64_t at = 0;
  for (const model::shape::ParameterRange& slice : slices_) {
    const std::int64_t end = at + slice.end - slice.begin;
    model::optimizer::adamw(options, step, gradient_scale, slice.begin, decay_ranges_,
                            part(parameters, slice.begin, slice.end), part(gradients, slice.begin, slice.end),
                            part(first_moment_.span(), at, end), part(second_moment_.span(), at, end));
    at = end;
  }
}

}  // namespace chainrule::pipeline::pretrain::optimizer
