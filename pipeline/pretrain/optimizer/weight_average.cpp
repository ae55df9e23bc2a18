#include "pipeline/pretrain/optimizer/weight_average.h"

#include <algorithm>

#include "model/optimizer/weight_average.h"

namespace chainrule::pipeline::pretrain::optimizer {

WeightAverage::WeightAverage(const exchange::Ownership& ownership, int rank, double decay)
    : decay_(decay), slices_(ownership.slices_of(rank)), average_(ownership.elements_of(rank)) {}

void WeightAverage::begin(std::span<const float> parameters) {
  float* at = average_.data();
  for (const model::shape::ParameterRange& slice : slices_) {
    at = std::copy(parameters.data() + slice.begin, parameters.data() + slice.end, at);
  }
}

void WeightAverage::update(std::span<const float> parameters) {
  std::size_t at = 0;
  for (const model::shape::ParameterRange& slice : slices_) {
    const auto elements = static_cast<std::size_t>(slice.end - slice.begin);
    model::optimizer::move_average(decay_, parameters.subspan(static_cast<std::size_t>(slice.begin), elements),
                                   average_.span().subspan(at, elements));
    at += elements;
  }
}

OwnedState WeightAverage::state() { return {slices_, {{kAverageSlot, average_.span()}}}; }

}  // namespace chainrule::pipeline::pretrain::optimizer
