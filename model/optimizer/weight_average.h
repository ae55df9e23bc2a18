#pragma once
#include <span>

namespace chainrule::model::optimizer {

/// One step of an exponential moving average of weights (Polyak, Juditsky 1992, with weights that fade):
///   average = decay * average + (1 - decay) * weights,
/// computed in float64 and rounded once. Spans of the same size; decay in [0, 1]. Each element's result depends on
/// nothing but its own inputs.
void move_average(double decay, std::span<const float> weights, std::span<float> average);

}  // namespace chainrule::model::optimizer
