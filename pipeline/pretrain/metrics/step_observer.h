#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/pretrain/metrics/slow_rank.h"

namespace chainrule::pipeline::pretrain::metrics {

/// What is told of a step that was taken, or passed over.
struct StepRecord {
  std::int64_t step = 0;
  std::int64_t last_step = 0;  ///< of the run
  std::uint64_t samples = 0;   ///< of the run so far
  std::int64_t tokens = 0;     ///< of the run so far
  double loss_nats = 0;        ///< mean over the step's tokens; not a number where that is not finite
  double learning_rate = 0;
  double gradient_norm = 0;  ///< not a number where the step was passed over
  std::int64_t step_tokens = 0;
  double steps_left = 0;  ///< of the run, each counted as how many times this one's batch it takes
  double step_seconds = 0;
  double elapsed_seconds = 0;                  ///< of the run so far, over all starts
  std::optional<double> validation_loss_nats;  ///< where the step was validated; not a number where that is not finite
  /// Of a mix that was validated, each source's loss beside the one over all their tokens.
  std::vector<std::pair<std::string, double>> source_losses_nats = {};
  std::string weights_hash;                     ///< where its checkpoint is about to be written
  std::string skipped;                          ///< why the step was passed over; empty where it was taken
  std::string rolled_back = {};                 ///< in the first step after that: what happened
  bool stop = false;                            ///< the run stops after it, as it was asked to
  double peak_tokens_per_second = 0;            ///< at which the model would take all of the machine's multiply-adds
  std::optional<double> joules_per_token = {};  ///< since the last record that has it, where the machine tells
  std::optional<SlowRank> slow_rank = {};       ///< that the others wait for
};

/// A run goes back to an earlier step, and on with later samples.
struct Rollback {
  std::int64_t from_step = 0;
  std::int64_t to_step = 0;
  std::uint64_t first_sample = 0;  ///< of those that are passed over
  std::uint64_t end_sample = 0;
  std::string why;
};

inline double tokens_per_second(const StepRecord& record) {
  return static_cast<double>(record.step_tokens) / record.step_seconds;
}

/// How a run ended, with its checkpoint written.
struct RunEnd {
  std::int64_t step = 0;
  std::int64_t last_step = 0;  ///< beyond step where the run was asked to stop
  std::string weights_hash;
  std::filesystem::path checkpoint;
};

/// Hears what becomes of a run: on rank 0 a log and a person's terminal, on every rank its node's meter.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void step_taken(const StepRecord& record) = 0;
  /// A checkpoint is about to be written: what was told so far has to last as long as it does.
  virtual void checkpoint_begins() {}
  /// What was told of steps behind to_step is not of this run any more.
  virtual void rolled_back(const Rollback& /*rollback*/) {}
  virtual void run_ended(const RunEnd&) {}
};

}  // namespace chainrule::pipeline::pretrain::metrics
