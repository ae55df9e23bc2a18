#pragma once
#include <optional>
#include <string>
#include <vector>

namespace chainrule::pipeline::job {

/// What a command (its name, looked up on PATH, and its arguments) says on standard output, where it ends well within
/// so many seconds; otherwise it is ended. Nothing where it cannot be run: a scheduler's own tools may be absent, or
/// wait for a server that is down.
std::optional<std::string> output_of(const std::vector<std::string>& command, double seconds);

}  // namespace chainrule::pipeline::job
