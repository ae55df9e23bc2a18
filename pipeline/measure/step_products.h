#pragma once
#include <cstdint>
#include <vector>

#include "model/arena.h"
#include "model/ops/ops.h"
#include "model/shape/config.h"

namespace chainrule::pipeline::measure {

/// The matrix products of a step with a weight, one by one: what a step would take if it did nothing else. Attention's
/// small products are not among them.
class StepProducts {
 public:
  enum class Pass { forward, backward_input, backward_weight };

  /// Products of batches of `rows` rows; ops outlives this object. Takes memory like one layer's activations, the
  /// logits of a block of rows, and the largest weight twice.
  StepProducts(const model::shape::Config& config, std::int64_t rows, model::ops::Ops& ops);

  /// Runs each product `repetitions` times; the seconds of each are added to the medians below. Call it between other
  /// measurements so that all see the same machine.
  void measure(int repetitions);

  /// FLOPs and (median) seconds of all products of one forward pass, or of a forward and backward pass.
  double flops(bool train) const;
  double seconds(bool train) const;

 private:
  struct Product {
    Pass pass;
    std::int64_t rows, in, out;
    std::int64_t times;  // in a step
    std::vector<double> measured_seconds;
  };
  void run(const Product& product);

  model::ops::Ops& ops_;
  std::vector<Product> products_;
  model::Arena x_, y_, weight_, weight_gradient_;
};

}  // namespace chainrule::pipeline::measure
