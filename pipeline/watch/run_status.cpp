#include "pipeline/watch/run_status.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/file_end.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tensors/manifest.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/run/configuration.h"
#include "pipeline/run/run_directory.h"

namespace chainrule::pipeline::watch {
namespace {

constexpr const char* kMetricsName = "metrics.jsonl";
constexpr std::size_t kMostBytes = 1 << 26;  // environment.json grows by some kilobytes with every start

std::int64_t last_step_of(const std::filesystem::path& run) {
  const std::filesystem::path file = run / run::kConfigurationName;
  const auto text =
      run::value_of(run::parse_configuration(io::files::read_small_file(file, kMostBytes), file.string()), "steps");
  std::int64_t steps = 0;
  if (text) {
    const char* const end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, steps);
    if (failure == std::errc() && stop == end && steps >= 1) return steps;
  }
  throw io::Error(io::ErrorKind::bad_data,
                  fmt::format("{}: 'steps' is {}", io::path_in_quotes(file),
                              text ? io::in_quotes(*text) + ", which is no number of steps" : "missing"));
}

/// The newest checkpoint, with its files there; a run that goes on may delete what was seen a moment ago.
std::optional<std::int64_t> newest_checkpoint(const std::filesystem::path& run) {
  constexpr int kLooks = 5;
  for (int look = 1;; ++look) {
    const std::vector<models::CheckpointPlace> places = models::list_checkpoints(run);
    if (places.empty()) return std::nullopt;
    try {
      io::tensors::Manifest::read(places.front().folder);
      return places.front().step;
    } catch (const io::Error&) {
      if (look == kLooks || io::files::is_there(places.front().folder)) throw;
    }
  }
}

std::optional<std::time_t> time_of(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return found.st_mtime;
}

/// The job of the run's last start, if it was in one.
std::optional<Job> last_started_job(const std::filesystem::path& run) {
  const std::filesystem::path file = run / run::kEnvironmentName;
  if (!io::files::is_there(file)) return std::nullopt;
  const nlohmann::json json =
      io::files::parse_untrusted_json(io::files::read_small_file(file, kMostBytes), io::path_in_quotes(file));
  try {
    const auto& starts = json.at("starts").get_ref<const nlohmann::json::array_t&>();
    if (starts.empty()) return std::nullopt;
    const auto& start = starts.back().get_ref<const nlohmann::json::object_t&>();
    const auto job = start.find("job");
    if (job == start.end() || job->second.empty()) return std::nullopt;
    return Job{job->second.at("scheduler").get<std::string>(), job->second.at("id").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("{} does not say how the run was started", io::path_in_quotes(file)));
  }
}

/// Reads one run.
class Look {
 public:
  explicit Look(const RunPlace& place) : run_(place.folder) {
    status_.folder = place.folder;
    if (!place.trouble.empty()) damage(place.trouble);
  }

  RunStatus take() {
    if (!damaged_) read_files();
    for (const char* name :
         {run::kConfigurationName, run::kEnvironmentName, run::kLockName, kMetricsName, "checkpoints"}) {
      status_.sign_of_life = std::max(status_.sign_of_life, time_of(run_ / name));
    }
    decide();
    return std::move(status_);
  }

 private:
  void damage(std::string_view why) {
    if (!damaged_) status_.remark = why;
    damaged_ = true;
  }

  template <class Part>
  void read(const Part& part) {
    try {
      part();
    } catch (const io::Error& error) {
      damage(error.what());
    }
  }

  void read_files() {
    read([&] { status_.holder = run::holder_of(run_).value_or(std::string()); });
    read([&] {
      // A run that is being made has no config.cfg yet.
      if (io::files::is_there(run_ / run::kConfigurationName)) status_.last_step = last_step_of(run_);
    });
    read([&] { status_.metrics = read_metrics_end(run_ / kMetricsName); });
    read([&] { status_.checkpoint = newest_checkpoint(run_); });
    read([&] { started_ = last_started_job(run_); });
    read([&] { submitted_ = read_submitted_jobs(job_folder_of(run_)); });
    check_steps();
  }

  void check_steps() {
    const std::optional<std::int64_t> step = step_of(status_);
    if (!step || !status_.last_step || *step <= *status_.last_step) return;
    damage(fmt::format("it has taken step {} of {}", *step, *status_.last_step));
  }

  bool is_finished() const { return status_.last_step && status_.checkpoint == status_.last_step; }

  /// The lock is written before environment.json is.
  bool holder_has_begun() const { return time_of(run_ / run::kEnvironmentName) >= time_of(run_ / run::kLockName); }

  bool began(const Job& job) const { return started_ && started_->id == job.id; }

  void decide() {
    if (!status_.holder.empty()) {
      if (started_ && holder_has_begun()) status_.job = started_;
      status_.holder = io::on_one_line(status_.holder);
      status_.state = RunState::running;
    } else if (is_finished()) {
      status_.state = RunState::finished;
    } else if (submitted_.waiting && !began(*submitted_.waiting)) {
      status_.job = submitted_.waiting;
      status_.state = RunState::waiting;
    } else if (!damaged_) {
      status_.remark = submitted_.waiting ? fmt::format(
                                                "job {} began and has not ended by itself: it was cut short, "
                                                "or waits after a requeue",
                                                submitted_.waiting->id)
                                          : submitted_.last_end;
      status_.remark = io::on_one_line(status_.remark);
    }
    if (damaged_) status_.state = RunState::damaged;
  }

  std::filesystem::path run_;
  RunStatus status_;
  bool damaged_ = false;
  std::optional<Job> started_;
  SubmittedJobs submitted_;
};

}  // namespace

const char* name_of(RunState state) {
  constexpr const char* kNames[kRunStates] = {"running", "waiting", "stopped", "finished", "damaged"};
  return kNames[static_cast<int>(state)];
}

RunStatus look_at_run(const RunPlace& place) { return Look(place).take(); }

std::optional<std::int64_t> step_of(const RunStatus& status) {
  if (!status.metrics) return status.checkpoint;
  return std::max(status.metrics->step, status.checkpoint.value_or(0));
}

std::string state_text(const RunStatus& status) {
  const std::string name = name_of(status.state);
  switch (status.state) {
    case RunState::running:
      return name + (status.job ? " on job " + io::on_one_line(status.job->id) : " (" + status.holder + ")");
    case RunState::waiting: return name + " for job " + io::on_one_line(status.job->id);
    case RunState::stopped: return fmt::format("{} at {}", name, status.checkpoint.value_or(0));
    case RunState::finished:
    case RunState::damaged: break;
  }
  return name;
}

}  // namespace chainrule::pipeline::watch
