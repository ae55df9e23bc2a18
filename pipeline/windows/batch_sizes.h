#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace chainrule::pipeline::windows {

/// From which number of samples a step's batch grows to the whole one.
struct BatchRamp {
  std::int64_t start = 0;      ///< samples of the first step
  std::int64_t increment = 0;  ///< samples that are added at a time, until the whole batch is reached
  std::int64_t samples = 0;    ///< of the ramp, divided evenly among the batches below the whole one
  bool operator==(const BatchRamp&) const = default;
};

/// How many samples each step takes: the whole batch, or by a ramp fewer at first. A step takes the whole batch less
/// the increments that are not due before it, as with --rampup-batch-size of Megatron-LM. Everything here is arithmetic
/// on numbers of steps and of samples.
class BatchSizes {
 public:
  /// ramp: its increments make the start the whole batch; 0 < start <= whole.
  explicit BatchSizes(std::int64_t whole, const std::optional<BatchRamp>& ramp = {});

  /// Samples of a step, counted from 1.
  std::int64_t of_step(std::int64_t step) const;
  /// Samples of the first so many steps.
  std::uint64_t of_steps(std::int64_t steps) const;
  /// The fewest first steps that have at least so many samples.
  std::int64_t steps_with(std::uint64_t samples) const;
  /// The sizes that occur, the whole one last.
  std::vector<std::int64_t> all() const;

 private:
  /// Steps of one size.
  struct Run {
    std::int64_t steps_before = 0;
    std::uint64_t samples_before = 0;
    std::int64_t size = 0;
  };
  std::vector<Run> runs_;
};

}  // namespace chainrule::pipeline::windows
