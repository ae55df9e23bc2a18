#pragma once
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/watch/find_runs.h"
#include "pipeline/watch/metrics_end.h"
#include "pipeline/watch/submitted_jobs.h"

namespace chainrule::pipeline::watch {

enum class RunState {
  running,   ///< a process has its lock
  waiting,   ///< a job was submitted that has not begun
  stopped,   ///< it goes on from its checkpoint when it is started again
  finished,  ///< the checkpoint of its last step is there
  damaged,   ///< something of it cannot be read
};
inline constexpr int kRunStates = 5;

/// "running", ...
const char* name_of(RunState state);

/// What a run's files say of it at one moment.
struct RunStatus {
  std::filesystem::path folder;
  RunState state = RunState::stopped;
  std::string remark;  ///< what is damaged, or what there is to say of how it stopped; one line, may be empty

  std::optional<std::int64_t> last_step;   ///< that it is to take
  std::optional<std::int64_t> checkpoint;  ///< step of the newest one
  std::optional<MetricsEnd> metrics;

  std::string holder;      ///< who has its lock: "process 7 on node1 since ..."; empty where nobody has
  std::optional<Job> job;  ///< the batch job it runs in or waits for
  std::optional<std::time_t> sign_of_life;  ///< when it last wrote something
};

/// Reads the files of a run, never changes them and asks no scheduler. What cannot be read is in the remark of a run
/// that is damaged. Checkpoints are looked at, as to whether their files are there and long enough, but not read.
RunStatus look_at_run(const RunPlace& place);

/// A step that it has taken, by metrics or checkpoint; empty where it has none.
std::optional<std::int64_t> step_of(const RunStatus& status);

/// "running on job 30", "stopped at 40" ...
std::string state_text(const RunStatus& status);

}  // namespace chainrule::pipeline::watch
