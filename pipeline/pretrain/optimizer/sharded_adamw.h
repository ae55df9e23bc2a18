#pragma once
#include <span>
#include <vector>

#include "model/arena.h"
#include "model/optimizer/adamw.h"
#include "model/shape/parameters.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/optimizer/gradient_norm.h"
#include "pipeline/pretrain/optimizer/optimizer.h"

namespace chainrule::pipeline::pretrain::optimizer {

/// AdamW. Its state: the slots first_moment and second_moment.
class ShardedAdamW final : public Optimizer {
 public:
  /// communicator and ownership outlive it; decay_ranges as model::optimizer::adamw() has them; the options' learning
  /// rate is not used.
  ShardedAdamW(const comm::Communicator& communicator, const exchange::Ownership& ownership,
               std::vector<model::shape::ParameterRange> decay_ranges, const model::optimizer::AdamWOptions& options);

  double gradient_norm(std::span<const float> gradients) override { return norm_.of(gradients); }
  void update(const StepTerms& terms, std::span<const float> gradients, std::span<float> parameters) override;
  OwnedState state() override;

 private:
  model::optimizer::AdamWOptions options_;
  GradientNorm norm_;
  std::vector<model::shape::ParameterRange> decay_ranges_;
  std::vector<model::shape::ParameterRange> slices_;
  model::Arena first_moment_;
  model::Arena second_moment_;
};

}  // namespace chainrule::pipeline::pretrain::optimizer
