#pragma once
#include <cstdint>

#include "tests/support/oracle.h"

namespace chainrule::tests::oracle {

struct OptimizerSettings {
  double peak_learning_rate = 0;
  double minimum_learning_rate = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t steps = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  double weight_decay = 0;  ///< on tensors of rank 2 only
  double clip_norm = 0;
};

/// Learning rate of a step (from 1): linear warmup, then half a cosine down to the minimum.
double learning_rate(const OptimizerSettings& settings, std::int64_t step);

/// L2 norm over all tensors.
double global_norm(const Tensors& gradients);

/// AdamW with clipping of the global norm, in float64, as in Loshchilov and Hutter 2019.
class Optimizer {
 public:
  Optimizer(const model::shape::Config& config, const OptimizerSettings& settings);
  /// One step with the gradient of the mean nll: gradients / tokens.
  void step(Tensors& parameters, const Tensors& gradients, std::int64_t tokens);

 private:
  OptimizerSettings settings_;
  Tensors first_;
  Tensors second_;
  std::int64_t taken_ = 0;
};

}  // namespace chainrule::tests::oracle
