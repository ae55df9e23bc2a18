#pragma once
#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

#include "pipeline/watch/curves/run_history.h"

namespace chainrule::pipeline::watch::curves {

/// How many runs one page can tell apart.
inline constexpr std::size_t kMostRuns = 16;

/// How every such page begins, by which it is known again.
std::string page_beginning();

/// The curves of 1 to kMostRuns runs over each other, their final values and events, as a page that stands alone: no
/// script, nothing loaded, light and dark, for narrow and wide windows, below two megabytes. now is when the files were
/// read, command how it is made again.
std::string render_curves_page(const std::vector<RunHistory>& runs, std::time_t now, const std::string& command);

}  // namespace chainrule::pipeline::watch::curves
