#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "model/arena.h"
#include "model/decoder/decoder.h"
#include "model/optimizer/adamw.h"
#include "model/optimizer/schedule.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/comm/exact_sum.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/step_exchange.h"
#include "pipeline/pretrain/exchange/zero_stage.h"
#include "pipeline/pretrain/optimizer/optimizer.h"
#include "pipeline/pretrain/optimizer/weight_average.h"
#include "pipeline/pretrain/step/batch_reader.h"
#include "pipeline/pretrain/step/recent_steps.h"
#include "pipeline/pretrain/step/step_outcome.h"
#include "pipeline/windows/batch_sizes.h"
#include "pipeline/windows/sample_source.h"

namespace chainrule::pipeline::pretrain::step {

struct TrainerOptions {
  std::int64_t micro_batch = 1;                          ///< sequences
  windows::BatchSizes batches = windows::BatchSizes(1);  ///< sequences of each step, multiples of micro_batch
  std::int64_t lanes = 8;
  exchange::ZeroStage zero_stage = exchange::ZeroStage::one;
  model::optimizer::ScheduleOptions schedule;
  model::optimizer::AdamWOptions adamw;      ///< its learning rate comes from the schedule
  double clip_norm = 0;                      ///< 0: not clipped
  std::optional<double> average_decay = {};  ///< of a WeightAverage; empty: none is kept
  double z_loss = 0;                         ///< see model::decoder::DecoderOptions
  std::uint64_t seed = 0;
  model::products::Math math = model::products::Math::float32;
  bool skip_outliers = false;  ///< pass over steps whose loss or gradient is one: see RecentSteps
  model::decoder::Recompute recompute = model::decoder::Recompute::none;
};

/// The factor that turns a sum over tokens into the mean over every rank's tokens, and then clips it.
double gradient_scale(std::int64_t tokens, double gradient_sum_norm, double clip_norm);

/// The weights of a run and what takes them one step further: on any number of ranks up to the lanes, with the same
/// bits. No arena is allocated in a step.
class Trainer {
 public:
  /// The communicators and samples outlive it; exchange is another of the same ranks, for what is sent beside the
  /// computation. Weights are initialised from the seed, at step 0. Not collective.
  Trainer(const comm::Communicator& communicator, const comm::Communicator& exchange,
          const model::shape::Config& config, const TrainerOptions& options, const windows::SampleSource& samples);

  /// One optimizer step. Where the loss or the gradient is not finite, or an outlier that is not to be taken, the
  /// trainer stays where it was, but for what outliers are told by. Collective. Parameters may still be on their way
  /// from other ranks when it returns.
  StepOutcome step(const StepRequests& requests);
  /// Goes on behind a step that could not be taken: it counts, and its samples are not used again.
  void pass_over() { advance(); }
  /// For measurement: sums gradients as in the last step once more and shares the parameters, with nothing beside it.
  /// Collective.
  void exchange_alone();
  /// For measurement: steps without any exchange leave every rank with weights of its own.
  void set_exchange(bool enabled) { exchange_.set_enabled(enabled); }

  std::int64_t steps_taken() const { return steps_taken_; }
  std::uint64_t samples_consumed() const { return samples_consumed_; }
  /// Sequences of the next step.
  std::int64_t next_batch() const { return options_.batches.of_step(steps_taken_ + 1); }
  /// Where a restored run stands.
  void set_progress(std::int64_t steps_taken, std::uint64_t samples_consumed);
  /// What outliers are told by; nothing without skip_outliers.
  const RecentSteps& recent_steps() const { return recent_; }
  void set_recent_steps(RecentSteps recent) { recent_ = std::move(recent); }

  const model::shape::ParameterTable& table() const { return decoder_.table(); }
  model::decoder::Decoder& decoder() { return decoder_; }
  /// Whole: waits for what is on its way.
  model::Arena& parameters();
  optimizer::Optimizer& optimizer() { return *optimizer_; }
  /// The average of the weights so far; null where none is kept.
  optimizer::WeightAverage* average() { return average_ ? &*average_ : nullptr; }
  /// The average, where one is kept, becomes a copy of the weights.
  void begin_average();

 private:
  /// Which micro-batches of the next step are this rank's.
  void plan_step();
  /// Forward and backward of a pass that has a micro-batch, into gradients; adds to the tally. `next` is the
  /// micro-batch that this rank comes to after it.
  void run_micro_batch(const exchange::Pass& pass, std::int64_t next, std::span<float> gradients, comm::ExactSum& nll);
  /// Forward and backward of this rank's share of a step; the summed gradients are in exchange_ afterwards. Collective.
  comm::ExactSum sum_gradients();
  /// Takes the parameters a step further along the summed gradients, unless they are not finite or outliers.
  /// Collective.
  void update_parameters(StepOutcome& outcome);
  /// Behind a step and its samples.
  void advance();
  /// Whether the step is an outlier, which then is its status; counts it among the last ones.
  void judge(StepOutcome& outcome);

  const comm::Communicator& communicator_;
  TrainerOptions options_;
  std::unique_ptr<model::ops::Ops> ops_;
  model::decoder::Decoder decoder_;
  exchange::BlockOwnership ownership_;
  std::unique_ptr<optimizer::Optimizer> optimizer_;
  std::optional<optimizer::WeightAverage> average_;
  model::Arena parameters_;
  exchange::StepExchange exchange_;  // behind parameters_, which it writes to
  std::int64_t steps_taken_ = 0;
  std::uint64_t samples_consumed_ = 0;
  RecentSteps recent_;
  BatchReader reader_;
  std::vector<double> nll_;          // [micro_batch, T]
  std::int64_t planned_batch_ = 0;   // that order_ and the reduction are of
  std::vector<std::int64_t> order_;  // of this rank's micro-batches in a step, then the next step's first
};

}  // namespace chainrule::pipeline::pretrain::step
