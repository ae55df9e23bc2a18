#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/pretrain/checkpoint/background_writer.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/pretrain/metrics/step_observer.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/pretrain/rank_watch.h"
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
               std::span<const ValidationSet> validation, Requests& requests, RankWatch& watch,
               std::vector<metrics::StepObserver*> observers, checkpoint::TrainingState state, bool saved);

  /// Until the last step, or until a rank was asked to stop: then a checkpoint is there, as it is where AgreedError
  /// ends the run while one is written. Throws AgreedError (bad_data) where more steps in a row than options.max_skips
  /// cannot be taken, because loss or gradient is not finite, and where what is to be saved is not. Collective.
  failure::ExitCode run();

  /// What records hold the run's rate against: see peak_tokens_per_second(). 0: nothing.
  void set_peak(double tokens_per_second) { peak_tokens_per_second_ = tokens_per_second; }

  std::int64_t steps_taken() const { return state_.step; }

 private:
  void take_steps();
  void take_step();
  [[noreturn]] void throw_diverged(const step::StepOutcome& outcome, const std::string& more) const;
  /// To the newest checkpoint, and on behind the samples that led here. Throws as throw_diverged() does where the run
  /// is not to do that, has been there before, or there is none. Collective.
  void roll_back(const step::StepOutcome& outcome);
  /// Nats, where the step is one to be validated.
  std::optional<ValidationLoss> validation_loss();
  void tell(const step::StepOutcome& outcome, double step_seconds, const std::optional<ValidationLoss>& validated,
            const RankWatch::Look& look);
  /// Beside the steps that follow, where there are any and the run has it so. Collective.
  void save();
  void save_now();
  /// Until what is saved beside the steps is there. Collective.
  void finish_saving();
  bool at_last_step() const { return state_.step == options_.schedule.steps; }

  const comm::Communicator& communicator_;
  const PretrainOptions& options_;
  const checkpoint::CheckpointContext& context_;
  step::Trainer& trainer_;
  std::span<const ValidationSet> validation_;
  Requests& requests_;
  RankWatch& watch_;
  std::vector<metrics::StepObserver*> observers_;
  checkpoint::TrainingState state_;
  bool saved_;
  bool stop_ = false;
  double peak_tokens_per_second_ = 0;
  std::optional<std::int64_t> rolled_back_to_;            // the last time
  std::string rolled_back_;                               // said with the next step
  std::string weights_hash_;                              // of the step, where it is a checkpoint's
  double copy_seconds_ = 0;                               // of what is saved beside the steps
  std::unique_ptr<checkpoint::BackgroundWriter> writer_;  // null where training waits for checkpoints
};

}  // namespace chainrule::pipeline::pretrain
