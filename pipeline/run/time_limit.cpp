#include "pipeline/run/time_limit.h"

#include <chrono>

#include "pipeline/run/signals.h"

namespace chainrule::pipeline::run {

std::function<bool()> when_to_stop(double limit_seconds) {
  using Clock = std::chrono::steady_clock;
  if (limit_seconds == 0) return [] { return stop_requested(); };
  const auto limit = std::chrono::duration<double>(limit_seconds);
  return [limit, started = Clock::now()] { return stop_requested() || Clock::now() - started >= limit; };
}

}  // namespace chainrule::pipeline::run
