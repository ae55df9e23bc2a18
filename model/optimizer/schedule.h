#pragma once
#include <cstdint>

namespace chainrule::model::optimizer {

/// How the learning rate goes on after its linear warmup, down to its minimum at the last step.
enum class ScheduleShape {
  cosine,              ///< half a cosine (Loshchilov, Hutter 2017)
  linear,              ///< a line
  constant,            ///< stays as it is
  warmup_stable_decay  ///< stays as it is but for the last decay_steps, in which it falls as 1 - sqrt of their part
                       ///< that is over (Haegele et al. 2024)
};

struct ScheduleOptions {
  ScheduleShape shape = ScheduleShape::cosine;
  double learning_rate = 0;          ///< after warmup
  double minimum_learning_rate = 0;  ///< at the last step; not of `constant`
  std::int64_t warmup_steps = 0;
  std::int64_t decay_steps = 0;  ///< of warmup_stable_decay, which begins them behind step `steps - decay_steps`
  std::int64_t steps = 0;        ///< of the whole run
};

/// Learning rate of step (from 1).
double learning_rate_at(const ScheduleOptions& options, std::int64_t step);

/// The last step whose learning rate would be the same if the run had any larger number of steps, and another shape
/// with the same warmup.
std::int64_t last_step_of_any_length(const ScheduleOptions& options);

}  // namespace chainrule::model::optimizer
