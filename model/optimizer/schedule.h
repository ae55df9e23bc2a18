#pragma once
#include <cstdint>

namespace chainrule::model::optimizer {

struct ScheduleOptions {
  double learning_rate = 0;          ///< after warmup
  double minimum_learning_rate = 0;  ///< at the last step
  std::int64_t warmup_steps = 0;
  std::int64_t steps = 0;  ///< of the whole run
};

/// Learning rate of step (from 1): linear warmup to learning_rate, then half a cosine down to the minimum at `steps`.
double learning_rate_at(const ScheduleOptions& options, std::int64_t step);

}  // namespace chainrule::model::optimizer
