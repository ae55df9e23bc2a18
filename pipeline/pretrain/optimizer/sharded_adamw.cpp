#include "pipeline/pretrain/optimizer/sharded_adamw.h"

#include <utility>

namespace chainrule::pipeline::pretrain::optimizer {
namespace {

template <typename Value>
std::span<Value> part(std::span<Value> whole, std::int64_t begin, std::int64_t end) {
  return whole.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

}  // namespace

ShardedAdamW::ShardedAdamW(const comm::Communicator& communicator, const exchange::Ownership& ownership,
                           std::vector<model::shape::ParameterRange> decay_ranges,
                           const model::optimizer::AdamWOptions& options)
    : options_(options),
      norm_(communicator, ownership),
      decay_ranges_(std::move(decay_ranges)),
      slices_(ownership.slices_of(communicator.rank())),
      first_moment_(ownership.elements_of(communicator.rank())),
      second_moment_(ownership.elements_of(communicator.rank())) {}

void ShardedAdamW::update(const StepTerms& terms, std::span<const float> gradients, std::span<float> parameters) {
  options_.learning_rate = terms.learning_rate;
  std::int64_t at = 0;
  for (const model::shape::ParameterRange& slice : slices_) {
    const std::int64_t end = at + slice.end - slice.begin;
    model::optimizer::adamw(options_, terms.step, terms.gradient_scale, slice.begin, decay_ranges_,
                            part(parameters, slice.begin, slice.end), part(gradients, slice.begin, slice.end),
                            part(first_moment_.span(), at, end), part(second_moment_.span(), at, end));
    at = end;
  }
}

OwnedState ShardedAdamW::state() {
  return {slices_, {{"first_moment", first_moment_.span()}, {"second_moment", second_moment_.span()}}};
}

}  // namespace chainrule::pipeline::pretrain::optimizer
