#pragma once
#include <filesystem>

#include "pipeline/watch/curves/run_history.h"

namespace chainrule::pipeline::watch::curves {

/// Adds the starts that a run's environment.json tells of: when, from which step, on how many ranks, where, by which
/// build. Nothing where there is no such file. Throws io::Error bad_data naming the start that does not say so.
void add_starts(const std::filesystem::path& file, RunHistory& history);

}  // namespace chainrule::pipeline::watch::curves
