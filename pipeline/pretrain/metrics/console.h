#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "pipeline/pretrain/metrics/step_observer.h"

namespace chainrule::pipeline::pretrain::metrics {

/// Says on standard error how a run comes on: a line for every log_every-th step and for those that were validated or
/// end the run, of at most kColumns; at a terminal also one in between that the next one takes the place of.
class Console final : public StepObserver {
 public:
  static constexpr std::size_t kColumns = 100;

  /// step and elapsed_seconds: where the run begins.
  Console(std::int64_t log_every, std::int64_t step, double elapsed_seconds);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  /// Leaves a line begun at a terminal, also on the way out of a failure.
  ~Console() override;

  void step_taken(const StepRecord& record) override;
  void rolled_back(const Rollback& rollback) override;
  void run_ended(const RunEnd& end) override;

 private:
  void say(const std::string& line);
  /// At a terminal, a few times a second.
  void show(const std::string& line, double elapsed_seconds);
  /// The line, and blanks over what is left of the one shown before.
  std::string over_shown(const std::string& line) const;

  std::int64_t log_every_;
  std::int64_t logged_step_;                // last one said
  double logged_seconds_;                   // elapsed_seconds then
  std::optional<double> joules_per_token_;  // as last told
  SlowRankWarnings warnings_;
  std::int64_t looks_ = 0;       // lines so far, by which warnings are spaced
  bool terminal_;                // standard error is one
  std::size_t shown_width_ = 0;  // of the line that stands to be replaced
  double shown_seconds_ = 0;     // elapsed_seconds then
};

}  // namespace chainrule::pipeline::pretrain::metrics
