#pragma once
#include <ctime>
#include <string>
#include <vector>

#include "pipeline/watch/run_status.h"

namespace chainrule::pipeline::watch {

/// What runs do at one moment as a page that stands alone: a bar a run, and a table. command is how it is made again.
std::string render_runs_page(const std::vector<RunStatus>& runs, std::time_t now, const std::string& command);

}  // namespace chainrule::pipeline::watch
