#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/shape/parameters.h"

namespace chainrule::pipeline::pretrain::optimizer {

/// One named part of an optimizer's state: a value for each element that its rank owns, side by side in arena order.
struct StateSlot {
  std::string name;  ///< of a dataset in the optimizer's file
  std::span<float> values;
};

/// The state of those elements of the arena that one rank owns.
struct OwnedState {
  std::vector<model::shape::ParameterRange> slices;  ///< in arena order
  std::vector<StateSlot> slots;                      ///< each of as many values as the slices have elements
};

/// What an optimizer is told of one step.
struct StepTerms {
  std::int64_t step = 0;  ///< from 1
  double learning_rate = 0;
  double gradient_scale = 1;  ///< what summed gradients are to be multiplied by
};

/// Takes parameters one step further, with its state divided over ranks: each updates the slices that it owns.
/// (StepExchange gives the ranks each other's parameters.)
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Euclidean norm of the gradients [arena], of which each rank holds its own slices: the same bits on every rank and
  /// for any number of them. Collective.
  virtual double gradient_norm(std::span<const float> gradients) = 0;
  /// One step on this rank's slices of parameters [arena].
  virtual void update(const StepTerms& terms, std::span<const float> gradients, std::span<float> parameters) = 0;
  /// This rank's state, where it lies: views for as long as the optimizer lives.
  virtual OwnedState state() = 0;
};

}  // namespace chainrule::pipeline::pretrain::optimizer
