#include "model/optimizer/schedule.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace chainrule::model::optimizer {
namespace {

/// What is left of the way from the learning rate to its minimum when `progress` of 0 to 1 of the decay is over.
double left_of_decay(ScheduleShape shape, double progress) {
  switch (shape) {
    case ScheduleShape::cosine: return 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    case ScheduleShape::linear: return 1.0 - progress;
    case ScheduleShape::constant: return 1.0;
    case ScheduleShape::warmup_stable_decay: return 1.0 - std::sqrt(progress);
  }
  return 1.0;
}

/// The last step before the decay.
std::int64_t decay_start(const ScheduleOptions& options) {
  const bool is_stable = options.shape == ScheduleShape::warmup_stable_decay;
  return is_stable ? options.steps - options.decay_steps : options.warmup_steps;
}

}  // namespace

double learning_rate_at(const ScheduleOptions& options, std::int64_t step) {
  if (step <= options.warmup_steps) {
    return options.learning_rate * static_cast<double>(step) / static_cast<double>(options.warmup_steps);
  }
  const std::int64_t start = decay_start(options);
  if (step <= start || options.shape == ScheduleShape::constant) return options.learning_rate;
  if (step >= options.steps) return options.minimum_learning_rate;
  const double progress = static_cast<double>(step - start) / static_cast<double>(options.steps - start);
  return options.minimum_learning_rate +
         left_of_decay(options.shape, progress) * (options.learning_rate - options.minimum_learning_rate);
}

std::int64_t last_step_of_any_length(const ScheduleOptions& options) {
  return options.shape == ScheduleShape::constant ? std::numeric_limits<std::int64_t>::max() : decay_start(options);
}

}  // namespace chainrule::model::optimizer
