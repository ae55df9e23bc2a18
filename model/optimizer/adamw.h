#pragma once
#include <cstdint>
#include <span>

#include "model/shape/parameters.h"

namespace chainrule::model::optimizer {

/// Elements of the blocks in which gradients are summed and the optimizer is sharded.
inline constexpr std::int64_t kOptimizerBlock = 65'536;

struct AdamWOptions {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// Sum of squares of a span, in double, in one fixed order for one length.
double sum_of_squares(std::span<const float> values);

/// One AdamW step (Loshchilov, Hutter 2019) on elements [first, first + parameters.size()) of an arena:
///   g = gradient_scale * gradients;  first_moment, second_moment updated; bias correction for step (from 1);
///   parameters -= learning_rate * (m^ / (sqrt(v^) + epsilon) + weight_decay * parameters where decay applies).
/// All spans have the same size; decay_ranges are arena elements, ascending. Each element's result depends on nothing
/// but its own inputs.
void adamw(const AdamWOptions& options, std::int64_t step, double gradient_scale, std::int64_t first,
           std::span<const shape::ParameterRange> decay_ranges, std::span<float> parameters,
           std::span<const float> gradients, std::span<float> first_moment, std::span<float> second_moment);

}  // namespace chainrule::model::optimizer
