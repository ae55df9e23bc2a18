#pragma once
#include <optional>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/metrics/metrics_log.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/pretrain/step/trainer.h"
#include "pipeline/windows/windows.h"

namespace chainrule::pipeline::pretrain {

/// The steps of a run, with validation, checkpoints, metrics and log lines in between.
class PretrainLoop {
 public:
  /// Everything outlives it. validation may be null; metrics is this rank's only on rank 0, else null. state is where
  /// the trainer stands, with the conditions that checkpoints record; saved tells whether its checkpoint is there.
  PretrainLoop(const comm::Communicator& communicator, const PretrainOptions& options,
               const checkpoint::CheckpointContext& context, step::Trainer& trainer, const windows::Windows* validation,
               metrics::MetricsLog* metrics, checkpoint::TrainingState state, bool saved);

  /// Leaves a line begun at a terminal, also on the way out of a failure.
  ~PretrainLoop();

  /// Until the last step, or until a rank was asked to stop: then a checkpoint is there. Collective.
  failure::ExitCode run();

 private:
  void save();
  void take_step();
  /// Appends the step's line to metrics.jsonl and says it on stderr when it is time to.
  void record(const step::StepReport& report, double step_seconds);
  void say(const std::string& line);
  /// At a terminal: a line that the next one takes the place of, a few times a second.
  void show(const std::string& line);
  /// The line, and blanks over what is left of the one shown before.
  std::string over_shown(const std::string& line) const;

  const comm::Communicator& communicator_;
  const PretrainOptions& options_;
  const checkpoint::CheckpointContext& context_;
  step::Trainer& trainer_;
  const windows::Windows* validation_;
  metrics::MetricsLog* metrics_;
  checkpoint::TrainingState state_;
  bool saved_;
  bool stop_ = false;
  std::string weights_hash_;               ///< of the step, where it was a checkpoint's
  std::optional<double> validation_loss_;  ///< nats, of the step, where it was validated
  std::int64_t logged_step_;               ///< last step said on stderr
  double logged_seconds_;                  ///< state_.elapsed_seconds then
  bool terminal_;                          ///< standard error is one
  std::size_t shown_width_ = 0;            ///< of the line that stands to be replaced
  double shown_seconds_ = 0;               ///< state_.elapsed_seconds then
};

}  // namespace chainrule::pipeline::pretrain
