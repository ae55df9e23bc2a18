#pragma once
#include <span>
#include <string>

#include "pipeline/cli/command_table.h"

namespace chainrule::pipeline::cli::manual {

/// A script for bash that completes commands, actions, options, words to choose from, and names of files where a value
/// is one. It stands alone: the program is not run.
std::string bash_completion(std::span<const CommandTable> commands);

}  // namespace chainrule::pipeline::cli::manual
