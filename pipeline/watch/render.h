#pragma once
#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/watch/run_status.h"

namespace chainrule::pipeline::watch {

/// The columns of a run, as people read them: "-" for what is not known. `now` is what ages count from.
struct RunCells {
  std::string run, state, step, loss, rate, checkpoint, sign_of_life;
};
RunCells cells_of(const RunStatus& status, std::time_t now);

/// A table with a line a run, and below it a line for its remark.
std::string as_text(const std::vector<RunStatus>& runs, std::time_t now);

/// What is not known is left out; a loss that was not finite is null.
nlohmann::ordered_json to_json(const std::vector<RunStatus>& runs, std::time_t now);

/// How many runs are in a state.
std::size_t count_of(const std::vector<RunStatus>& runs, RunState state);

}  // namespace chainrule::pipeline::watch
