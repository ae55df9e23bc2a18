#include "pipeline/pretrain/pretrain.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/json_text.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/job/account.h"
#include "pipeline/job/whereabouts.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/loop.h"
#include "pipeline/pretrain/metrics/console.h"
#include "pipeline/pretrain/metrics/metrics_observer.h"
#include "pipeline/pretrain/plan.h"
#include "pipeline/pretrain/start.h"
#include "pipeline/pretrain/trainer_state.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::pretrain {
namespace {

/// Options that change no weight: they may differ when a run is started again. The data may have moved; that it is the
/// same is checked by its fingerprint.
const std::vector<std::string> kMayDiffer = {
    "run",       "data",    "validation-data",  "tokenizer", "validate-every", "validation-tokens", "checkpoint-every",
    "log-every", "threads", "keep-checkpoints", "recompute"};

/// What ranks read is the same: a validation set that one of them does not see would let the others wait for it.
void check_same_data(const comm::Communicator& communicator, const PretrainOptions& options,
                     const PretrainInputs& inputs) {
  const auto said = [](const auto& stream) {
    return stream ? fmt::format("{} of {} tokens", stream->fingerprint(), stream->token_count()) : std::string("none");
  };
  const auto require_same = [&](const char* what, const auto& stream) {
    comm::require_same(communicator, failure::ExitCode::bad_data,
                       fmt::format("{} of '{}'", what, options.data.string()), said(stream));
  };
  require_same("the training data", inputs.training);
  require_same("the validation data", inputs.validation);
}

/// The lanes that a run was begun with, from its config.cfg.
std::int64_t saved_lanes(const PretrainOptions& options, const run::Configuration& saved, std::int64_t otherwise) {
  const std::optional<std::string> text = run::value_of(saved, "lanes");
  if (!text) return otherwise;
  std::int64_t lanes = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, lanes);
  PretrainOptions with = options;
  with.lanes = lanes;
  if (error != std::errc() || stop != end || lanes == 0) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("'{}': lanes = '{}' is no number of lanes",
                                                         (options.run / run::kConfigurationName).string(), *text));
  }
  try {
    validate(with);
  } catch (const failure::Error& refusal) {
    throw io::Error(io::ErrorKind::bad_data,
                    fmt::format("'{}': {}", (options.run / run::kConfigurationName).string(), refusal.what()));
  }
  return lanes;
}

void check_lanes(const PretrainOptions& options, std::int64_t lanes, int ranks) {
  if (ranks > lanes) {
    throw failure::AgreedError(
        failure::ExitCode::usage,
        fmt::format("{} ranks are more than the {} lanes of this run: use at most {} ranks"
                    "{}",
                    ranks, lanes, lanes, options.lanes != 0 ? ", or more --lanes in a new run" : ""));
  }
}

/// Opens the run on rank 0 and decides, on every rank, how many lanes it has.
std::unique_ptr<run::RunDirectory> open_run(const comm::Communicator& communicator, const PretrainOptions& options,
                                            run::Configuration& configuration, std::int64_t& lanes) {
  std::unique_ptr<run::RunDirectory> run;
  comm::agree_on_first(communicator, [&] {
    run = std::make_unique<run::RunDirectory>(run::RunDirectory::open(options.run));
    const auto saved = run->configuration();
    if (saved && options.lanes == 0) lanes = saved_lanes(options, *saved, lanes);
    run::set_value(configuration, "lanes", std::to_string(lanes));
    if (saved) run::check_same_run(*saved, configuration, kMayDiffer);
  });
  lanes = communicator.maximum(communicator.rank() == 0 ? lanes : 0);
  const std::string holder = communicator.broadcast(run ? run->holder() : std::string());
  comm::agree(communicator, [&] { run::require_held(options.run, holder); });
  return run;
}

/// A checkpoint's step is its folder's, and a step takes a global batch of samples: the position in the data follows.
void check_progress(const std::filesystem::path& checkpoint, const checkpoint::TrainingState& state,
                    const PretrainOptions& options) {
  const bool of_its_folder = checkpoint == models::checkpoint_folder(options.run, state.step);
  if (of_its_folder && state.step >= 0 && state.step <= options.schedule.steps &&
      state.samples_consumed == static_cast<std::uint64_t>(state.step) * options.global_batch) {
    return;
  }
  throw io::Error(
      io::ErrorKind::bad_data,
      fmt::format("'{}' says step {} and {} samples, which cannot be there in a run of {} steps of {} samples",
                  checkpoint.string(), state.step, state.samples_consumed, options.schedule.steps,
                  options.global_batch));
}

/// Where the run stands on disk; step 0 where it has no checkpoint.
checkpoint::TrainingState resumed_state(const comm::Communicator& communicator,
                                        const std::optional<std::filesystem::path>& checkpoint,
                                        const PretrainOptions& options, const PretrainInputs& inputs) {
  checkpoint::TrainingState state;
  state.data_fingerprint = inputs.training->fingerprint();
  if (!checkpoint) return state;
  comm::agree(communicator, [&] {
    state = checkpoint::read_training_state(*checkpoint);
    check_progress(*checkpoint, state, options);
    if (state.data_fingerprint != inputs.training->fingerprint()) {
      throw failure::Error(
          failure::ExitCode::usage,
          fmt::format("option '--data': '{}' has fingerprint {}, this run was trained on {}",
                      inputs.training->path().string(), inputs.training->fingerprint(), state.data_fingerprint));
    }
  });
  return state;
}

void warn_of_other_bits(const checkpoint::TrainingState& before, const run::Environment& now) {
  const auto warn = [](const char* what, const auto& was, const auto& is) {
    if (was == is) return;
    run::warn(fmt::format("{} {} when this run was saved and {} now: bits may differ", what, was, is));
  };
  warn("the build was", before.program_digest, now.program_digest);
  warn("the instruction set was", before.instruction_set, now.instruction_set);
  warn("threads per rank were", before.threads_per_rank, now.threads_per_rank);
}

step::TrainerOptions trainer_options(const PretrainOptions& options, std::int64_t lanes) {
  return {options.micro_batch, options.global_batch, lanes,        options.schedule, options.adamw,
          options.clip_norm,   options.seed,         options.math, options.recompute};
}

/// Looks at the meter of this rank's node now and then.
class MeterReader final : public metrics::StepObserver {
 public:
  explicit MeterReader(job::Account& account) : account_(account) {}
  void step_taken(const metrics::StepRecord& /*record*/) override { account_.look(); }

 private:
  job::Account& account_;
};

}  // namespace

failure::ExitCode pretrain(const comm::Communicator& communicator, PretrainOptions options,
                           run::Configuration configuration, const std::string& program) {
  const bool first = communicator.rank() == 0;
  const run::Environment environment =
      run::gather_environment(communicator, program, run::use_threads(communicator, options.threads));
  adopt_init(communicator, options, configuration);
  Start start = find_start(communicator, options);
  std::unique_ptr<PretrainInputs> inputs;
  comm::agree(communicator, [&] { inputs = std::make_unique<PretrainInputs>(open_inputs(options, start)); });
  check_same_data(communicator, options, *inputs);

  std::int64_t lanes = options.lanes != 0 ? options.lanes : exchange::default_lanes(communicator.size());
  if (options.dry_run) {
    check_lanes(options, lanes, communicator.size());
    if (first) run::print(to_text(plan_pretraining(options, *inputs, lanes, communicator.size()), communicator.size()));
    return failure::ExitCode::done;
  }
  const std::unique_ptr<run::RunDirectory> run = open_run(communicator, options, configuration, lanes);
  check_lanes(options, lanes, communicator.size());
  const auto checkpoint = checkpoint::find_intact_checkpoint(communicator, options.run);
  checkpoint::TrainingState state = resumed_state(communicator, checkpoint, options, *inputs);
  if (state.step == options.schedule.steps) {
    if (first) run::say(fmt::format("the run '{}' is finished: {} steps\n", options.run.string(), state.step));
    return failure::ExitCode::done;
  }
  verify_inputs(communicator, *inputs);
  const job::Whereabouts here = job::gather_whereabouts(communicator, environment.threads_per_rank);
  comm::agree_on_first(communicator, [&] {
    job::say_where(here, memory_needs(plan_pretraining(options, *inputs, lanes, communicator.size())), options.run);
  });

  const windows::PermutedWindows samples(windows::Windows(*inputs->training, inputs->config.sequence_length),
                                         options.seed);
  const comm::Communicator exchange = communicator.duplicate();
  std::unique_ptr<step::Trainer> trainer;
  comm::agree(communicator, [&] {
    trainer = std::make_unique<step::Trainer>(communicator, exchange, inputs->config, trainer_options(options, lanes),
                                              samples);
  });
  if (checkpoint) {
    if (first) warn_of_other_bits(state, environment);
    restore_trainer(communicator, *checkpoint, state, *trainer);
  } else if (start.model) {
    copy_parameters(*start.model, trainer->table(), trainer->parameters().span());
  }
  start.model.reset();
  state.arena_layout = checkpoint::arena_layout(trainer->table());
  state.program_digest = environment.program_digest;
  state.instruction_set = environment.instruction_set;
  state.threads_per_rank = environment.threads_per_rank;

  std::unique_ptr<metrics::MetricsObserver> metrics;
  comm::agree_on_first(communicator, [&] {
    run->write_configuration(configuration);
    auto json = run::to_json(environment);
    job::add_to(json, here);
    json["from_step"] = state.step;
    json["data_fingerprint"] = state.data_fingerprint;
    json["parameters"] = model::shape::parameter_count(inputs->config);
    run->add_environment(io::files::json_text(json));
    metrics = std::make_unique<metrics::MetricsObserver>(options.run / "metrics.jsonl", state.step);
    run::say(fmt::format("{} {} of {} parameters on {} tokens: {} ranks x {} threads, {} lanes, {} tokens a step\n",
                         checkpoint ? fmt::format("going on from step {} with", state.step) : "training",
                         options.init.empty() ? options.model.preset : options.init.string(),
                         model::shape::parameter_count(inputs->config), inputs->training->token_count(),
                         communicator.size(), environment.threads_per_rank, lanes,
                         options.global_batch * inputs->config.sequence_length));
  });
  std::optional<windows::Windows> validation;
  if (inputs->validation) {
    validation.emplace(*inputs->validation, inputs->config.sequence_length,
                       static_cast<std::uint64_t>(options.validation_tokens));
  }
  const checkpoint::CheckpointContext context{options.run, inputs->training->tokenizer_json(),
                                              inputs->training->tokenizer_fingerprint(), options.keep_checkpoints};
  metrics::Console console(options.log_every, state.step, state.elapsed_seconds);
  job::Account account(communicator, environment.threads_per_rank);
  MeterReader meter(account);
  std::vector<metrics::StepObserver*> observers = {&meter};
  if (first) observers.insert(observers.end(), {metrics.get(), &console});
  PretrainLoop loop(communicator, options, context, *trainer, validation ? &*validation : nullptr, observers, state,
                    checkpoint.has_value());
  const failure::ExitCode code = loop.run();
  const std::int64_t steps = loop.steps_taken() - state.step;
  const job::Cost cost =
      account.cost(static_cast<std::uint64_t>(steps * options.global_batch * inputs->config.sequence_length));
  if (first) run::say(job::to_text(cost) + "\n");
  return code;
}

}  // namespace chainrule::pipeline::pretrain
