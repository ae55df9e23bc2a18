#pragma once
#include <cstdint>
#include <string>

namespace chainrule::pipeline::pretrain::step {

enum class StepStatus {
  updated,             ///< the parameters were taken a step further
  nonfinite_loss,      ///< nothing was updated: some tokens' loss is infinite or no number
  nonfinite_gradient,  ///< nothing was updated: the gradient's norm is
  outlier_loss,        ///< nothing was updated: the loss does not belong to those of the last steps (see RecentValues)
  outlier_gradient,    ///< nothing was updated: the gradient's norm does not
};

/// What a rank asks for, beside a step.
struct StepRequests {
  bool stop = false;   ///< the run
  bool save = false;   ///< a checkpoint
  bool saved = false;  ///< nothing: the rank is done with the checkpoint that is written meanwhile
};

/// What came of one step, the same on every rank but for the seconds.
struct StepOutcome {
  StepStatus status = StepStatus::updated;
  std::int64_t step = 0;              ///< the one that was taken, or tried
  std::int64_t tokens = 0;            ///< whose loss is finite
  std::int64_t nonfinite_tokens = 0;  ///< and whose is not
  StepRequests requests;              ///< of any rank; saved: of all of them
  // Where it is finite:
  double outlier_limit = 0;  ///< of an outlier: what it is beyond
  double loss_nats = 0;      ///< mean over the step's tokens
  double gradient_norm = 0;  ///< of the mean gradient, before clipping
  double learning_rate = 0;  ///< where it was updated
  // On this rank:
  std::int64_t own_micro_batches = 0;
  double compute_seconds = 0;    ///< that its micro-batches took, without what it waited for others
  double exchange_seconds = 0;   ///< in which it waited for what others sent
  double read_seconds = 0;       ///< in which it waited for training samples
  double optimizer_seconds = 0;  ///< that the gradient's norm and the optimizer took
};

/// Why a step was not taken, for people; empty where it was.
std::string describe_failure(const StepOutcome& outcome);

}  // namespace chainrule::pipeline::pretrain::step
