#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "model/decoder/recompute.h"
#include "model/ops/ops.h"
#include "model/optimizer/adamw.h"
#include "model/optimizer/schedule.h"
#include "pipeline/pretrain/exchange/zero_stage.h"
#include "pipeline/pretrain/mix/mix.h"
#include "pipeline/pretrain/model_options.h"
#include "pipeline/pretrain/schedule_options.h"
#include "pipeline/windows/batch_sizes.h"

namespace chainrule::pipeline::pretrain {

/// What a pretraining run is asked to do.
struct PretrainOptions {
  mix::Mix mix;  ///< of data sets, folders with train/ and held-out/, or other token files
  std::map<std::string, std::filesystem::path> validation_data;  ///< by source; not named: its data's held-out/, if any
  std::optional<double> max_epochs;  ///< a source is gone through so often at most; empty: as often as need be
  std::filesystem::path tokenizer;   ///< whose tokens token files of other systems hold; empty where all are ours
  std::filesystem::path run;

  std::filesystem::path init;  ///< a model of which shape and first weights are; empty: those of `model`
  ModelOptions model;
  bool shape_asked = false;  ///< an option of the shape was given, other than the sequence length

  std::int64_t micro_batch = 0;                  ///< sequences of one forward and backward pass
  std::int64_t global_batch = 0;                 ///< sequences of one optimizer step
  std::optional<windows::BatchRamp> batch_ramp;  ///< of fewer of them at first; empty: none
  ScheduleRequest schedule_asked;
  model::optimizer::ScheduleOptions schedule;  ///< what becomes of it
  bool decay_now = false;  ///< go on from the run `init`, whose learning rate has been stable, with its decay
  model::optimizer::AdamWOptions adamw;
  double clip_norm = 0;  ///< largest norm of the gradient; 0: not clipped
  double z_loss = 0;     ///< weight of (log Z)^2 in what is minimised, see model::decoder::DecoderOptions

  std::optional<double> average_decay;  ///< of the exponential moving average of the weights; empty: none is kept

  bool skip_outliers = false;  ///< pass over steps whose loss or gradient does not belong to those of the last steps
  std::int64_t max_skips = 0;  ///< steps in a row that may be passed over, as their loss or gradient is not finite
  bool roll_back = false;      ///< where more are: once to the newest checkpoint, and over the samples since

  std::int64_t validate_every = 0;           ///< steps; 0: never
  std::int64_t validation_tokens = 0;        ///< at most, from the start of the validation set
  std::int64_t checkpoint_every = 0;         ///< steps; 0: at the end only
  std::optional<double> checkpoint_seconds;  ///< between checkpoints, beside checkpoint_every
  std::optional<double> failure_seconds;     ///< instead, between failures: see checkpoint_interval()
  bool background_checkpoints = true;        ///< written of a copy, beside the steps that follow
  std::int64_t keep_checkpoints = 0;         ///< the newest so many
  std::int64_t keep_every = 0;               ///< for good: those of steps that it divides; 0: none
  double time_limit_seconds = 0;             ///< from the program's start; 0: the scheduler's, if it has one
  std::int64_t log_every = 0;                ///< steps
  bool tensorboard = false;                  ///< also write events for TensorBoard

  std::int64_t lanes = 0;  ///< 0, until the run is opened: the run's own, or by the number of ranks
  int threads = 0;         ///< 0: by the environment
  std::uint64_t seed = 0;
  model::products::Math math = model::products::Math::float32;
  model::decoder::Recompute recompute = model::decoder::Recompute::none;
  exchange::ZeroStage zero_stage = exchange::ZeroStage::one;  ///< what ranks divide among themselves
  bool dry_run = false;
};

/// What each step takes.
windows::BatchSizes batch_sizes(const PretrainOptions& options);

/// Throws Error (usage) naming the first option that is out of its range or contradicts another.
void validate(const PretrainOptions& options);

}  // namespace chainrule::pipeline::pretrain
