#include "pipeline/pretrain/pace.h"

#include <algorithm>
#include <cmath>

namespace chainrule::pipeline::pretrain {

double checkpoint_interval(double save_seconds, double failure_seconds) {
  if (save_seconds >= 2 * failure_seconds) return std::max(failure_seconds, save_seconds);
  const double ratio = save_seconds / (2 * failure_seconds);
  const double interval =
      std::sqrt(2 * save_seconds * failure_seconds) * (1 + std::sqrt(ratio) / 3 + ratio / 9) - save_seconds;
  return std::max(interval, save_seconds);
}

void Pace::step_took(double seconds) { longest_step_ = std::max(longest_step_, seconds); }

void Pace::begin_interval(double now) { last_save_ = now; }

void Pace::saved(double seconds, double lost) {
  save_seconds_ = seconds;
  lost_seconds_ = lost;
}

bool Pace::should_save(double now) const {
  const std::optional<double> interval =
      options_.failure_seconds ? std::optional(checkpoint_interval(lost_seconds_, *options_.failure_seconds))
                               : options_.checkpoint_seconds;
  return interval && now - last_save_ >= std::max(*interval, save_seconds_);
}

bool Pace::should_stop(double now) const {
  if (!options_.seconds_left || longest_step_ == 0) return false;
  // Two steps: the one that is under way when time is up is finished first. Disks may be slower than the last time.
  constexpr double kEndingSeconds = 10;
  return now + 2 * longest_step_ + 2 * save_seconds_ + kEndingSeconds >= *options_.seconds_left;
}

}  // namespace chainrule::pipeline::pretrain
