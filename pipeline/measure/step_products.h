#pragma once
#include <cstdint>
#include <vector>

#include "model/arena.h"
#include "model/shape/config.h"
#include "model/ops/ops.h"

namespace chainrule::model {

/// The matrix products of a step with a weight, one by one: what a step would take if it did nothing else. Attention's
/// small products are not among them.
class StepProducts {
 public:
  enum class Pass { forward, backward_input, backward_weight };

  /// Products of batches of `rows` rows; ops outlives this object. Takes memory like one layer's activations, the
  /// logits of a block of rows, and the largest weight twice.
  StepProducts(const Config& config, std::int64_t rows, Ops& ops);

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

  Ops& ops_;
  std::vector<Product> products_;
  Arena x_, y_, weight_, weight_gradient_;
};

}  // namespace chainrule::model
