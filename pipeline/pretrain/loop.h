#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/metrics/step_observer.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/pretrain/requests.h"
#include "pipeline/pretrain/step/trainer.h"
#include "pipeline/pretrain/validation.h"

namespace chainrule::pipeline::pretrain {

/// The steps of a run, with validation and checkpoints in between.
class PretrainLoop {
 public:
  /// Everything outlives it. validation may be empty; requests and observers are this rank's, in the order in which
  /// they are told. state is where the trainer stands, with the conditions that checkpoints record; saved tells whether
  /// its checkpoint is there.
  PretrainLoop(const comm::Communicator& communicator, const PretrainOptions& options,
               const checkpoint::CheckpointContext& context, step::Trainer& trainer,
               std::span<const ValidationSet> validation, Requests& requests,
               std::vector<metrics::StepObserver*> observers, checkpoint::TrainingState state, bool saved);

  /// Until the last step, or until a rank was asked to stop: then a checkpoint is there. Throws AgreedError (bad_data)
  /// where more steps in a row than options.max_skips cannot be taken, because loss or gradient is not finite, and
  /// where what is to be saved is not. Collective.
  failure::ExitCode run();

  std::int64_t steps_taken() const { return state_.step; }

 private:
  void take_step();
  [[noreturn]] void throw_diverged(const step::StepOutcome& outcome) const;
  /// Nats, where the step is one to be validated.
  std::optional<ValidationLoss> validation_loss();
  void tell(const step::StepOutcome& outcome, double step_seconds, const std::optional<ValidationLoss>& validated);
  void save();
  bool at_last_step() const { return state_.step == options_.schedule.steps; }

  const comm::Communicator& communicator_;
  const PretrainOptions& options_;
  const checkpoint::CheckpointContext& context_;
  step::Trainer& trainer_;
  std::span<const ValidationSet> validation_;
  Requests& requests_;
  std::vector<metrics::StepObserver*> observers_;
  checkpoint::TrainingState state_;
  bool saved_;
  bool stop_ = false;
  std::string weights_hash_;  // of the step, where it is a checkpoint's
};

}  // namespace chainrule::pipeline::pretrain
