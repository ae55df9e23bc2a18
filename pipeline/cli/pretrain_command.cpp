#include "pipeline/cli/pretrain_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "io/quote.h"
#include "model/shape/config.h"
#include "pipeline/cli/arithmetic_options.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/average_options.h"
#include "pipeline/pretrain/batch_ramp.h"

namespace chainrule::pipeline::cli {
namespace {

/// Numbers and names as the parser fills them.
struct Words {
  std::string data;
  std::string validation_data;
  std::vector<std::string> mix;
  std::vector<std::string> mix_validation;
  std::string tokenizer;
  std::string run;
  std::string init;
  std::string batch_ramp;
  std::string schedule;
  std::string checkpoint_minutes;
  std::string checkpoint_mode;
  std::string on_divergence;
  std::string average;
  std::string time_limit;
};

/// Numbers that need not be given.
struct Numbers {
  std::int64_t steps = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t decay_steps = 0;
  double minimum_learning_rate = 0;
  double failure_hours = 0;
  double max_epochs = 0;
};

/// Options of the model's shape that --init leaves no room for.
constexpr const char* kShapeOptions[] = {
    "model",      "layers",           "heads",          "key-value-heads", "width",         "feed-forward-width",
    "activation", "attention-window", "query-key-norm", "logit-soft-cap",  "zero-residuals"};

void add_data_and_model(CommandOptions& command, pretrain::PretrainOptions& options, Words& words, Numbers& numbers) {
  command.group("Data and run")
      .add_options()(
          "data", po::value(&words.data)->value_name("PATH"),
          "data set to train on, or a folder with train/ and held-out/, which is then validated on; or token "
          "files of llm.c or Megatron: a file, a folder of them, or what their names begin with")(
          "validation-data", po::value(&words.validation_data)->value_name("PATH"),
          "what to validate on, as --data (default: the pair's held-out/)")(
          "mix", po::value(&words.mix)->multitoken()->value_name("NAME=DATA:WEIGHT[@STEP]..."),
          "instead of --data, sources to train on, each DATA as --data takes it, in proportion to their weights (such "
          "as 3 or 0.25); with @STEP a source has that weight from behind this step on, 0 ends it. Started again, a "
          "run may be given other weights, which then hold from where it is, and more sources")(
          "mix-validation", po::value(&words.mix_validation)->multitoken()->value_name("NAME=DATA..."),
          "what to validate a source of --mix on (default: its DATA's held-out/)")(
          "max-epochs", po::value(&numbers.max_epochs)->value_name("E"),
          "a run that would go through a source more often is refused (default: 4 with --mix, any number with --data)")(
          "tokenizer", po::value(&words.tokenizer)->value_name("T"),
          "whose tokens llm.c's or Megatron's files hold, which do not say; not for data sets of chainrule pack")(
          "run", po::value(&words.run)->value_name("DIR"), "run directory to make, or to go on with")(
          "dry-run", po::bool_switch(&options.dry_run),
          "print parameters, tokens and memory per rank, and stop without writing; of a run that is there, as it would "
          "go "
          "on");
  pretrain::ModelOptions& model = options.model;
  const std::string presets = fmt::format("{}", fmt::join(model::shape::preset_names(), "|"));
  command.group("Model").add_options()(
      "init", po::value(&words.init)->value_name("M"),
      "go on from this model's weights, in its shape: a checkpoint, run, average of a run's weights (RUN/average, "
      "RUN/last:K), Hugging Face folder, GGUF file or llm.c model "
      "(instead of --model and the options of the shape; a shorter --sequence-length where positions are rotary)")(
      "model", po::value(&model.preset)->default_value("gpt2-124m")->value_name(presets), "preset")(
      "layers", po::value(&model.layers)->value_name("N"), "layers (default: the preset's)")(
      "heads", po::value(&model.heads)->value_name("N"), "attention heads (default: the preset's)")(
      "key-value-heads", po::value(&model.key_value_heads)->value_name("N"),
      "heads of keys and values, which query heads share (default: the preset's ratio)")(
      "width", po::value(&model.width)->value_name("N"), "channels of the residual stream (default: the preset's)")(
      "feed-forward-width", po::value(&model.feed_forward_width)->value_name("N"),
      "channels inside the feed-forward part (default: the preset's ratio to the width)")(
      "sequence-length", po::value(&model.sequence_length)->value_name("TOKENS"),
      "context and length of a training window (default: the preset's)")(
      "activation", po::value(&model.activation)->value_name("gelu_tanh|swiglu|relu_squared"),
      "of the feed-forward part (default: the preset's)")(
      "attention-window", po::value(&model.attention_window)->value_name("TOKENS"),
      "a token meets that many, itself included (default: all before it)")(
      "query-key-norm", po::bool_switch(&model.query_key_norm), "RMSNorm of each head's queries and keys")(
      "logit-soft-cap", po::value(&model.logit_soft_cap)->value_name("CAP"), "logits become CAP * tanh(logits / CAP)")(
      "zero-residuals", po::bool_switch(&model.zero_residuals), "projections into the residual stream begin as zero");
}

void add_schedule(CommandOptions& command, pretrain::PretrainOptions& options, Numbers& numbers, Words& words) {
  command.group("Schedule of the learning rate")
      .add_options()("learning-rate", po::value(&options.schedule_asked.learning_rate)->default_value(6e-4, "6e-4"),
                     "after a linear warmup")(
          "schedule",
          po::value(&words.schedule)
              ->default_value("cosine")
              ->value_name(fmt::format("{}", fmt::join(pretrain::schedule_names(), "|"))),
          "how it goes on: down half a cosine or a line to the last step; as it is; or as it is but for the last "
          "--decay-steps, in which it falls as 1 - sqrt. A run whose rate has not begun to fall may be given more "
          "--steps, or another end")("warmup-steps", po::value(&numbers.warmup_steps)->value_name("N"),
                                     "(default: a fiftieth of --steps)")(
          "decay-steps", po::value(&numbers.decay_steps)->value_name("N"),
          "of warmup-stable-decay (default: a fifth of --steps)")(
          "minimum-learning-rate", po::value(&numbers.minimum_learning_rate), "at the last step (default: a tenth)")(
          "decay-now", po::bool_switch(&options.decay_now),
          "a run that branches off from another whose rate is stable, --init: goes on from its newest checkpoint, with "
          "its state and data, for --decay-steps in which the rate falls. Other options as that run has them");
}

void add_training(CommandOptions& command, pretrain::PretrainOptions& options, Numbers& numbers, Words& words) {
  command.group("Batches and steps")
      .add_options()("micro-batch", po::value(&options.micro_batch)->default_value(4)->value_name("SEQUENCES"),
                     "sequences of one forward and backward pass")(
          "global-batch", po::value(&options.global_batch)->default_value(32)->value_name("SEQUENCES"),
          "sequences of one step over all ranks, a multiple of --micro-batch")(
          "batch-ramp", po::value(&words.batch_ramp)->value_name("START:INCREMENT:SAMPLES"),
          "steps of START sequences at first, then of INCREMENT more at a time until they are of --global-batch, "
          "evenly over the run's first SAMPLES sequences")(
          "steps", po::value(&numbers.steps)->value_name("N"),
          "steps of the whole run; started again it may have more, where the learning rate has not depended on that "
          "yet")("seed", po::value(&options.seed)->default_value(0)->value_name("N"),
                 "of the initial weights and the order of samples")(
          "lanes", po::value(&options.lanes)->value_name("N"),
          "sums that gradients are accumulated in, a power of two: bits are the same on any number of ranks up to it "
          "(default: 8, or the next power of two that is at least the ranks at the start of the run)")(
          "threads", po::value(&options.threads)->value_name("N"),
          "per rank (default: OMP_NUM_THREADS, else the cores shared among the host's ranks)");
  command.group("Loss and optimizer (AdamW)")
      .add_options()(
          "z-loss", po::value(&options.z_loss)->default_value(0, "0")->value_name("WEIGHT"),
          "adds WEIGHT * (log Z)^2 a token to what is minimised, Z the normaliser of its softmax (such as 1e-4; PaLM); "
          "the loss that is reported is cross-entropy alone")(
          "weight-decay", po::value(&options.adamw.weight_decay)->default_value(0.1, "0.1"), "of matrices only")(
          "beta1", po::value(&options.adamw.beta1)->default_value(0.9, "0.9"), "decay of the first moment")(
          "beta2", po::value(&options.adamw.beta2)->default_value(0.95, "0.95"), "decay of the second moment")(
          "epsilon", po::value(&options.adamw.epsilon)->default_value(1e-8, "1e-8"), "added to the denominator")(
          "clip-norm", po::value(&options.clip_norm)->default_value(1.0, "1"),
          "largest Euclidean norm of the gradient; 0: not clipped")(
          "average", po::value(&words.average)->value_name("ema:DECAY"),
          "keep an exponential moving average of the weights in checkpoints, too: behind each step that is taken it is "
          "DECAY times itself and 1 - DECAY times the weights. It begins as the weights where this is first given (4 "
          "bytes a parameter, divided over ranks); the model RUN/average is it")(
          "skip-outliers", po::bool_switch(&options.skip_outliers),
          "a step whose loss or gradient norm is more than 6 standard deviations above the mean of the last 128 steps "
          "changes no weight")(
          "max-skips", po::value(&options.max_skips)->default_value(10)->value_name("STEPS"),
          "a step whose loss or gradient is not finite changes no weight, either; so many in a row are passed over")(
          "on-divergence", po::value(&words.on_divergence)->default_value("stop")->value_name("stop|rollback"),
          "where more are: end with exit code 65, and with the checkpoint before them; or go back to that checkpoint, "
          "and on with the samples behind those that led here (once: from the same checkpoint it is the end)");
}

/// The data to train and to validate on.
void ask_data(const CommandOptions& command, const Words& words, const Numbers& numbers,
              pretrain::PretrainOptions& options) {
  constexpr double kMixEpochs = 4;  // so often data are worth nearly as much as new ones (Muennighoff et al. 2023)
  const auto refuse = [](const char* why) { throw failure::Error(failure::ExitCode::usage, why); };
  if (command.given("data") && command.given("mix")) refuse("--data and --mix exclude each other");
  if (!command.given("data") && !command.given("mix")) {
    refuse("the option '--data' (or '--mix') is required but missing; see --help");
  }
  if (command.given("max-epochs")) options.max_epochs = numbers.max_epochs;
  if (command.given("data")) {
    if (!words.mix_validation.empty()) refuse("option '--mix-validation' belongs to --mix");
    options.mix = pretrain::mix::of_one_source(words.data);
    if (!words.validation_data.empty()) options.validation_data[""] = words.validation_data;
    return;
  }
  if (!words.validation_data.empty())
    refuse("option '--validation-data' belongs to --data: with --mix, --mix-validation");
  options.mix = pretrain::mix::parse_mix(words.mix);
  options.validation_data = pretrain::mix::parse_validation(words.mix_validation, options.mix);
  if (!options.max_epochs) options.max_epochs = kMixEpochs;
}

/// What of the schedule was asked for, in words or by decaying now.
void ask_schedule(const CommandOptions& command, const Words& words, const Numbers& numbers,
                  pretrain::PretrainOptions& options) {
  pretrain::ScheduleRequest& asked = options.schedule_asked;
  const bool decays = options.decay_now && !command.given("schedule");
  asked.shape =
      decays ? model::optimizer::ScheduleShape::warmup_stable_decay : pretrain::schedule_named(words.schedule);
  if (command.given("steps")) asked.steps = numbers.steps;
  if (command.given("warmup-steps")) asked.warmup_steps = numbers.warmup_steps;
  if (command.given("decay-steps")) asked.decay_steps = numbers.decay_steps;
  if (command.given("minimum-learning-rate")) asked.minimum_learning_rate = numbers.minimum_learning_rate;
  options.schedule = pretrain::schedule_of(asked, std::nullopt);
}

/// When to save and to stop by the clock.
void ask_times(const CommandOptions& command, const Words& words, const Numbers& numbers,
               pretrain::PretrainOptions& options) {
  constexpr double kMinute = 60;
  constexpr double kMost = 1e6;
  const auto refuse = [](const char* option, const std::string& said, const char* wanted) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--{}' is {}: {}", option, io::in_quotes(said), wanted));
  };
  if (!(numbers.failure_hours > 0 && numbers.failure_hours <= kMost)) {
    refuse("expected-failure-hours", fmt::format("{}", numbers.failure_hours), "hours above 0 are asked for");
  }
  if (words.checkpoint_minutes == "auto") {
    options.failure_seconds = numbers.failure_hours * 60 * kMinute;
  } else if (command.given("checkpoint-minutes")) {
    char* end = nullptr;
    const double minutes = std::strtod(words.checkpoint_minutes.c_str(), &end);
    if (*end != '\0' || !(minutes > 0 && minutes <= kMost)) {
      refuse("checkpoint-minutes", words.checkpoint_minutes, "minutes above 0, or auto, are asked for");
    }
    options.checkpoint_seconds = minutes * kMinute;
  }
  if (words.on_divergence != "stop" && words.on_divergence != "rollback") {
    refuse("on-divergence", words.on_divergence, "stop or rollback is asked for");
  }
  options.roll_back = words.on_divergence == "rollback";
  if (words.checkpoint_mode != "background" && words.checkpoint_mode != "sync") {
    refuse("checkpoint-mode", words.checkpoint_mode, "background or sync is asked for");
  }
  options.background_checkpoints = words.checkpoint_mode == "background";
  if (command.given("time-limit")) options.time_limit_seconds = time_limit_seconds(words.time_limit);
}

void add_reporting(CommandOptions& command, pretrain::PretrainOptions& options, Numbers& numbers, Words& words) {
  command.group("Validation, checkpoints, log")
      .add_options()("validate-every", po::value(&options.validate_every)->default_value(250)->value_name("STEPS"),
                     "and at the end; 0: never")(
          "validation-tokens", po::value(&options.validation_tokens)->default_value(131'072)->value_name("TOKENS"),
          "at most, from the start of the validation set")(
          "checkpoint-every", po::value(&options.checkpoint_every)->default_value(500)->value_name("STEPS"),
          "and at the end and when stopped; 0: only then")(
          "checkpoint-minutes", po::value(&words.checkpoint_minutes)->value_name("MINUTES|auto"),
          "also so often; auto: as often as loses the least time, by what saving is seen to cost and "
          "--expected-failure-hours (Young, Daly)")(
          "checkpoint-mode",
          po::value(&words.checkpoint_mode)->default_value("background")->value_name("background|sync"),
          "background: of a copy (weights on rank 0, optimizer state on each), beside the steps that follow; sync: "
          "training waits, and needs no memory for it")(
          "expected-failure-hours", po::value(&numbers.failure_hours)->default_value(24, "24")->value_name("HOURS"),
          "between failures of a job of this size, on average")(
          "keep-checkpoints", po::value(&options.keep_checkpoints)->default_value(2)->value_name("N"),
          "newest checkpoints that are kept")("keep-every",
                                              po::value(&options.keep_every)->default_value(0)->value_name("STEPS"),
                                              "a checkpoint is made and kept for good each time; 0: none")(
          "time-limit", po::value(&words.time_limit)->value_name("TIME"),
          "minutes, or [DAYS-]HOURS:MINUTES:SECONDS from the program's start: in time for it, saves and stops with "
          "exit "
          "code 75, as it does in time for a batch job's end where the scheduler tells that")(
          "log-every", po::value(&options.log_every)->default_value(10)->value_name("STEPS"),
          "a line on stderr; metrics.jsonl has every step")(
          "tensorboard", po::bool_switch(&options.tensorboard),
          "write every step for TensorBoard too: tensorboard --logdir RUN/tensorboard");
}

}  // namespace

std::optional<PretrainCommand> parse_pretrain(const Arguments& arguments) {
  PretrainCommand parsed;
  pretrain::PretrainOptions& options = parsed.options;
  Words words;
  Numbers numbers;
  parsed.command = std::make_unique<CommandOptions>(
      "chainrule pretrain --data PATH|--mix NAME=DATA:WEIGHT... --run DIR --steps N [options]",
      "Trains a model on a data set, on any number of ranks. USR1 saves a checkpoint and ends with exit code 75; the\n"
      "same command again goes on from the last checkpoint, also on another number of ranks. TERM does the same alone\n"
      "and under srun. Send USR1 to mpirun, which passes it on: of TERM it makes KILL after a second, whatever is "
      "being\n"
      "saved (OMPI_MCA_odls_base_sigkill_timeout sets the seconds), and ends with a code of its own. A file `stop` in\n"
      "the run directory does what USR1 does.");
  CommandOptions& command = *parsed.command;
  add_data_and_model(command, options, words, numbers);
  add_training(command, options, numbers, words);
  add_schedule(command, options, numbers, words);
  add_reporting(command, options, numbers, words);
  ArithmeticOptions arithmetic;
  po::options_description& arithmetic_group = command.group("Arithmetic and memory");
  arithmetic.add_math_to(arithmetic_group);
  arithmetic.add_recompute_to(arithmetic_group);
  arithmetic.add_zero_stage_to(arithmetic_group);
  if (!command.parse(arguments)) return std::nullopt;
  ask_data(command, words, numbers, options);
  options.tokenizer = words.tokenizer;
  options.run = words.run;
  options.init = words.init;
  options.shape_asked = std::any_of(std::begin(kShapeOptions), std::end(kShapeOptions),
                                    [&](const char* option) { return command.given(option); });
  if (command.given("batch-ramp")) options.batch_ramp = pretrain::parse_batch_ramp(words.batch_ramp);
  if (command.given("average")) options.average_decay = pretrain::parse_average(words.average);
  ask_schedule(command, words, numbers, options);
  ask_times(command, words, numbers, options);
  options.math = arithmetic.chosen_math();
  options.recompute = arithmetic.chosen_recompute();
  options.zero_stage = arithmetic.chosen_zero_stage();
  pretrain::validate(options);

  parsed.configuration = command.resolved();
  // Without a z-loss, or with stage 1, a run is one of before there was the option.
  std::erase_if(parsed.configuration, [&](const auto& line) {
    return line.first == "dry-run" || (line.first == "z-loss" && options.z_loss == 0) ||
           (line.first == "zero-stage" && options.zero_stage == pretrain::exchange::ZeroStage::one);
  });
  return parsed;
}

}  // namespace chainrule::pipeline::cli
