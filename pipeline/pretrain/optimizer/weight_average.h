#pragma once
#include <span>
#include <vector>

#include "model/arena.h"
#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/optimizer/optimizer.h"

namespace chainrule::pipeline::pretrain::optimizer {

/// Names the one slot of a WeightAverage.
inline constexpr const char* kAverageSlot = "average";

/// An exponential moving average of a run's weights, divided over ranks as the optimizer's state is: 4 bytes for each
/// element that this rank owns.
class WeightAverage {
 public:
  /// decay in (0, 1): see model::optimizer::move_average(). Zero until it is begun or restored.
  WeightAverage(const exchange::Ownership& ownership, int rank, double decay);

  /// Becomes a copy of parameters [arena].
  void begin(std::span<const float> parameters);
  /// Behind a step that was taken; parameters [arena], of which this rank's slices are read.
  void update(std::span<const float> parameters);
  /// This rank's part, where it lies: views for as long as this lives.
  OwnedState state();
  double decay() const { return decay_; }

 private:
  double decay_;
  std::vector<model::shape::ParameterRange> slices_;
  model::Arena average_;
};

}  // namespace chainrule::pipeline::pretrain::optimizer
