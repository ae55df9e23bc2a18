#pragma once
#include <span>
#include <string_view>

#include "pipeline/cli/commands.h"

namespace chainrule::pipeline::cli {

/// What a command does that has several: chainrule COMMAND ACTION [options]. One process, whatever the launcher
/// started. Throws failure::Error usage for an action that there is not.
failure::ExitCode run_action(std::string_view command, std::span<const Command> actions, const Arguments& arguments);

}  // namespace chainrule::pipeline::cli
