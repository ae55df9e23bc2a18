#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The few messages of tensorflow/core/util/event.proto and summary.proto that scalars take, in protobuf's encoding.
namespace chainrule::io::tensorboard {

/// Tags and values.
using Scalars = std::vector<std::pair<std::string, double>>;

/// The first event of a file. wall_time: seconds since 1970.
std::string version_event(double wall_time);

/// SessionLog START: what was told before of this step and those behind it is void.
std::string start_event(double wall_time, std::int64_t step);

/// Values of one step, rounded to float32.
std::string scalars_event(double wall_time, std::int64_t step, const Scalars& scalars);

}  // namespace chainrule::io::tensorboard
