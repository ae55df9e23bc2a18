#pragma once
#include <functional>

namespace chainrule::pipeline::run {

/// Whether it is time to stop: where stop_requested(), or limit_seconds after this call (0: no limit).
std::function<bool()> when_to_stop(double limit_seconds);

}  // namespace chainrule::pipeline::run
