#pragma once
#include <span>
#include <string>
#include <string_view>

#include "pipeline/cli/command_table.h"

namespace chainrule::pipeline::cli::manual {

/// chainrule(1) in the man macros of roff: the commands and the exit codes.
std::string manual_page(std::span<const CommandTable> commands, std::string_view version);

/// chainrule-COMMAND(1): usage, prose and options of a command, or of each of its actions.
std::string manual_page(const CommandTable& command, std::string_view version);

}  // namespace chainrule::pipeline::cli::manual
