#include "pipeline/pretrain/options.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

void require(bool condition, const char* option, const std::string& why) {
  if (!condition) throw failure::Error(failure::ExitCode::usage, fmt::format("option '--{}' {}", option, why));
}

void at_least(std::int64_t value, std::int64_t least, const char* option) {
  require(value >= least, option, fmt::format("must be at least {}, not {}", least, value));
}

/// Also refuses what is no number.
void within(double value, double least, double most, const char* option) {
  require(value >= least && value <= most, option, fmt::format("must be from {} to {}, not {}", least, most, value));
}

void validate_schedule(const PretrainOptions& options) {
  using model::optimizer::ScheduleShape;
  const model::optimizer::ScheduleOptions& schedule = options.schedule;
  within(schedule.learning_rate, 0, 1e3, "learning-rate");
  within(schedule.minimum_learning_rate, 0, schedule.learning_rate, "minimum-learning-rate");
  require(!options.schedule_asked.minimum_learning_rate || schedule.shape != ScheduleShape::constant,
          "minimum-learning-rate", "is none of --schedule constant");
  require(!options.schedule_asked.decay_steps || schedule.shape == ScheduleShape::warmup_stable_decay, "decay-steps",
          "is of --schedule warmup-stable-decay");
  if (options.decay_now) {
    require(!options.init.empty(), "decay-now", "goes on from a run: name it with --init");
    require(options.schedule_asked.decay_steps.has_value(), "decay-now", "takes --decay-steps: how many");
    at_least(schedule.decay_steps, 1, "decay-steps");
    return;
  }
  require(options.schedule_asked.steps.has_value(), "steps", "is required: the steps of the whole run");
  at_least(schedule.steps, 1, "steps");
  at_least(schedule.warmup_steps, 0, "warmup-steps");
  require(schedule.warmup_steps <= schedule.steps, "warmup-steps",
          fmt::format("must be at most --steps {}, not {}", schedule.steps, schedule.warmup_steps));
  at_least(schedule.decay_steps, schedule.shape == ScheduleShape::warmup_stable_decay ? 1 : 0, "decay-steps");
  require(schedule.decay_steps <= schedule.steps - schedule.warmup_steps, "decay-steps",
          fmt::format("must be at most the {} steps behind the warmup, not {}", schedule.steps - schedule.warmup_steps,
                      schedule.decay_steps));
}

void validate_ramp(const PretrainOptions& options) {
  if (!options.batch_ramp) return;
  const windows::BatchRamp& ramp = *options.batch_ramp;
  const auto require_batch = [&](std::int64_t value, const char* what) {
    require(
        value > 0 && value % options.micro_batch == 0, "batch-ramp",
        fmt::format("must have {} that is a multiple of --micro-batch {}, not {}", what, options.micro_batch, value));
  };
  require_batch(ramp.start, "a START");
  require_batch(ramp.increment, "an INCREMENT");
  const std::int64_t grows_by = options.global_batch - ramp.start;
  require(grows_by > 0 && grows_by % ramp.increment == 0, "batch-ramp",
          fmt::format("must reach --global-batch {} from {} by steps of {}", options.global_batch, ramp.start,
                      ramp.increment));
  constexpr std::int64_t kMostIncrements = 10'000;
  require(grows_by / ramp.increment <= kMostIncrements, "batch-ramp",
          fmt::format("must have at most {} increments, not {}", kMostIncrements, grows_by / ramp.increment));
  at_least(ramp.samples, 1, "batch-ramp");
  constexpr std::int64_t kMostSamples = std::int64_t{1} << 62;
  require(ramp.samples <= kMostSamples, "batch-ramp",
          fmt::format("must have at most 2^62 SAMPLES, not {}", ramp.samples));
}

}  // namespace

windows::BatchSizes batch_sizes(const PretrainOptions& options) {
  return windows::BatchSizes(options.global_batch, options.batch_ramp);
}

void validate(const PretrainOptions& options) {
  if (options.max_epochs) within(*options.max_epochs, 1e-6, 1e9, "max-epochs");
  require(options.dry_run || !options.run.empty(), "run", "is required: the run directory to be made or resumed");
  require(options.init.empty() || !options.shape_asked, "init",
          "gives the model's shape: of its options --sequence-length alone may stand beside it");
  validate(options.model);
  at_least(options.micro_batch, 1, "micro-batch");
  at_least(options.global_batch, 1, "global-batch");
  require(options.global_batch % options.micro_batch == 0, "global-batch",
          fmt::format("must be a multiple of --micro-batch {}, not {}", options.micro_batch, options.global_batch));
  validate_ramp(options);
  validate_schedule(options);
  within(options.adamw.weight_decay, 0, 1e3, "weight-decay");
  within(options.adamw.beta1, 0, std::nextafter(1.0, 0.0), "beta1");
  within(options.adamw.beta2, 0, std::nextafter(1.0, 0.0), "beta2");
  within(options.adamw.epsilon, 1e-30, 1, "epsilon");
  within(options.clip_norm, 0, 1e30, "clip-norm");
  within(options.z_loss, 0, 1, "z-loss");
  at_least(options.max_skips, 0, "max-skips");
  at_least(options.validate_every, 0, "validate-every");
  at_least(options.validation_tokens, 1, "validation-tokens");
  at_least(options.checkpoint_every, 0, "checkpoint-every");
  at_least(options.keep_checkpoints, 1, "keep-checkpoints");
  at_least(options.keep_every, 0, "keep-every");
  at_least(options.log_every, 1, "log-every");
  at_least(options.threads, 0, "threads");
  at_least(options.lanes, 0, "lanes");
  require(options.lanes == 0 || std::has_single_bit(static_cast<std::uint64_t>(options.lanes)), "lanes",
          fmt::format("must be a power of two, not {}", options.lanes));
  constexpr std::int64_t kMostLanes = 65'536;
  require(options.lanes <= kMostLanes, "lanes", fmt::format("must be at most {}, not {}", kMostLanes, options.lanes));
}

}  // namespace chainrule::pipeline::pretrain
