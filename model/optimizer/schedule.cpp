#include "model/optimizer/schedule.h"

#include <cmath>
#include <numbers>

namespace chainrule::model::optimizer {

double learning_rate_at(const ScheduleOptions& options, std::int64_t step) {
  const auto at = static_cast<double>(step);
  const auto warmup = static_cast<double>(options.warmup_steps);
  if (step <= options.warmup_steps) return options.learning_rate * at / warmup;
  if (step >= options.steps) return options.minimum_learning_rate;
  const double progress = (at - warmup) / (static_cast<double>(options.steps) - warmup);
  return options.minimum_learning_rate +
         0.5 * (1.0 + std::cos(std::numbers::pi * progress)) * (options.learning_rate - options.minimum_learning_rate);
}

}  // namespace chainrule::model::optimizer
