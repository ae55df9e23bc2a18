#pragma once
#include <chrono>
#include <filesystem>

#include "pipeline/pretrain/pace.h"
#include "pipeline/pretrain/step/step_outcome.h"

namespace chainrule::pipeline::pretrain {

/// The file in a run directory that stops the run as a signal does.
inline constexpr const char* kStopName = "stop";

/// What this rank asks of the run, step by step: by signals; on rank 0 also by the clock, and by a file `stop` in the
/// run directory, which is looked for once a second. Ranks hand it to each other with the step's loss, so all do the
/// same.
class Requests {
 public:
  using Clock = std::chrono::steady_clock;

  /// pace counts from `start`. Ranks other than the first need neither.
  Requests(bool first, std::filesystem::path run, const PaceOptions& pace, Clock::time_point start)
      : first_(first), stop_file_(run / kStopName), pace_(pace), start_(start) {}

  step::StepRequests now();

  /// As Pace has them.
  void step_took(double seconds) { pace_.step_took(seconds); }
  void begin_interval() { pace_.begin_interval(seconds_since_start()); }
  void saved(double seconds, double lost) { pace_.saved(seconds, lost); }
  /// The run stops: the file has been heeded and goes, so that the same command goes on.
  void stopped();

 private:
  double seconds_since_start() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool stop_file_is_there();

  bool first_;
  std::filesystem::path stop_file_;
  Pace pace_;
  Clock::time_point start_;
  double looked_ = -1;  ///< when the file was looked for
  bool told_ = false;
};

}  // namespace chainrule::pipeline::pretrain
