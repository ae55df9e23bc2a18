#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chainrule::pipeline::watch::curves {

/// How many tokens a run has trained on up to each of its steps, as its log says, whose batches may grow. Where they
/// stay as they are nothing is kept: memory grows with the changes of their size, up to a bound beyond which tokens in
/// between are interpolated.
class StepTokens {
 public:
  /// Steps ascend.
  void add(std::int64_t step, std::int64_t tokens);
  /// Of a place between two steps: in proportion.
  double at(double step) const;
  /// Whether another run, as far as both go, had other numbers at the same steps. False where one has none.
  bool differ_from(const StepTokens& other) const;

 private:
  /// Between two of them each step has as many tokens.
  struct Knot {
    double step = 0;
    double tokens = 0;
  };
  void thin_out();

  std::vector<Knot> knots_ = {{0, 0}};
};

}  // namespace chainrule::pipeline::watch::curves
