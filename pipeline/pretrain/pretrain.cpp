#include "pipeline/pretrain/pretrain.h"

#include <fmt/format.h>

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
#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/loop.h"
#include "pipeline/pretrain/machine_rate.h"
#include "pipeline/pretrain/metrics/console.h"
#include "pipeline/pretrain/metrics/metrics_observer.h"
#include "pipeline/pretrain/metrics/tensorboard_observer.h"
#include "pipeline/pretrain/plan.h"
#include "pipeline/pretrain/rank_watch.h"
#include "pipeline/pretrain/requests.h"
#include "pipeline/pretrain/resume.h"
#include "pipeline/pretrain/sources.h"
#include "pipeline/pretrain/start.h"
#include "pipeline/pretrain/trainer_state.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::pretrain {
namespace {

/// What the run's end and its checkpoints are timed by; the clock counts from `started`.
PaceOptions pace_of(const PretrainOptions& options, const job::BatchJob& job, const PretrainPlan& plan, int ranks,
                    Requests::Clock::time_point started) {
  constexpr double kBytesPerSecond = 1e8;  // a guess at what disks take, until the first save tells
  const auto passed = std::chrono::duration<double>(Requests::Clock::now() - started).count();
  PaceOptions pace{.checkpoint_seconds = options.checkpoint_seconds, .failure_seconds = options.failure_seconds};
  pace.save_seconds =
      static_cast<double>(plan.parameter_bytes + ranks * (plan.optimizer_bytes + plan.average_bytes)) / kBytesPerSecond;
  if (options.time_limit_seconds > 0) {
    pace.seconds_left = options.time_limit_seconds;
  } else if (job.seconds_left) {
    pace.seconds_left = passed + *job.seconds_left;
  }
  return pace;
}

std::vector<ValidationSet> validation_sets(const PretrainOptions& options, const PretrainInputs& inputs) {
  std::vector<ValidationSet> sets;
  for (const SourceInput& source : inputs.sources) {
    if (!source.validation) continue;
    sets.push_back({source.name, windows::Windows(*source.validation, inputs.config.sequence_length,
                                                  static_cast<std::uint64_t>(options.validation_tokens))});
  }
  return sets;
}

/// Of the step behind `step`, and of the last one where that has more: "16384 to 65536".
std::string step_tokens_text(const PretrainOptions& options, std::int64_t sequence_length, std::int64_t step) {
  const windows::BatchSizes batches = batch_sizes(options);
  const std::int64_t first = batches.of_step(step + 1) * sequence_length;
  const std::int64_t last = batches.of_step(options.schedule.steps) * sequence_length;
  return first == last ? std::to_string(first) : fmt::format("{} to {}", first, last);
}

void warn_of_stages(const PretrainOptions& options, std::uint64_t samples_passed_over) {
  const std::string unreached = stages_behind_end(options, samples_passed_over);
  if (!unreached.empty()) run::warn(unreached);
}

/// Looks at the meter of this rank's node now and then.
class MeterReader final : public metrics::StepObserver {
 public:
  explicit MeterReader(job::Account& account) : account_(account) {}
  void step_taken(const metrics::StepRecord& /*record*/) override { account_.look(); }

 private:
  job::Account& account_;
};

/// Told before the others, lets nothing be written of a run that is not this process's any more.
class HoldKeeper final : public metrics::StepObserver {
 public:
  explicit HoldKeeper(const run::RunDirectory& run) : run_(run) {}
  void step_taken(const metrics::StepRecord& /*record*/) override { run_.require_hold(); }
  void rolled_back(const metrics::Rollback& /*rollback*/) override { run_.require_hold(); }

 private:
  const run::RunDirectory& run_;
};

/// What --dry-run says and refuses.
void tell_plan(const comm::Communicator& communicator, PretrainOptions& options, run::Configuration& configuration,
               const PretrainInputs& inputs) {
  const OpenedRun run = look_at_run(communicator, options, configuration);
  checkpoint::TrainingState state;
  if (options.decay_now) state = find_branch(communicator, run, options, configuration, inputs).state;
  check_lanes(options.lanes, communicator.size());
  PretrainPlan plan;
  comm::agree(communicator, [&] { plan = plan_pretraining(options, inputs, state.step, communicator.size()); });
  std::string text = to_text(plan, communicator.size());
  if (inputs.has_mix()) text += sources_table(options, inputs);
  if (communicator.rank() == 0) {
    run::print(text);
    warn_of_stages(options, 0);
  }
  comm::agree(communicator, [&] { check_epochs(options, inputs); });
}

}  // namespace

failure::ExitCode pretrain(const comm::Communicator& communicator, PretrainOptions options,
                           run::Configuration configuration, const std::string& program) {
  const auto started = Requests::Clock::now();
  const bool first = communicator.rank() == 0;
  const run::Environment environment =
      run::gather_environment(communicator, program, run::use_threads(communicator, options.threads));
  adopt_init(communicator, options, configuration);
  Start start = find_start(communicator, options);
  std::unique_ptr<PretrainInputs> inputs;
  comm::agree(communicator, [&] { inputs = std::make_unique<PretrainInputs>(open_inputs(options, start)); });
  check_same_data(communicator, options, *inputs);

  if (options.dry_run) {
    tell_plan(communicator, options, configuration, *inputs);
    return failure::ExitCode::done;
  }
  const OpenedRun run = open_run(communicator, options, configuration);
  const std::optional<Place> place = find_place(communicator, run, options, configuration, *inputs);
  check_lanes(options.lanes, communicator.size());
  checkpoint::TrainingState state;
  if (place) state = place->state;
  state.data_fingerprint = fingerprint_of(*inputs);
  if (state.step == options.schedule.steps) {
    if (first) run::say(fmt::format("the run '{}' is finished: {} steps\n", options.run.string(), state.step));
    return failure::ExitCode::done;
  }
  comm::agree(communicator, [&] { check_epochs(options, *inputs); });
  verify_inputs(communicator, *inputs);
  const job::Whereabouts here = job::gather_whereabouts(communicator, environment.threads_per_rank);
  PretrainPlan plan;
  comm::agree(communicator, [&] { plan = plan_pretraining(options, *inputs, 0, communicator.size()); });
  if (first) warn_of_stages(options, state.samples_passed_over);
  Requests requests(first, options.run, pace_of(options, here.job, plan, communicator.size(), started), started);
  comm::agree_on_first(communicator, [&] { job::say_where(here, memory_needs(plan), options.run); });

  const std::unique_ptr<windows::SampleSource> samples = make_samples(options, *inputs);
  const comm::Communicator exchange = communicator.duplicate();
  const std::unique_ptr<step::Trainer> trainer =
      make_trainer(communicator, exchange, inputs->config, options, *samples);
  if (place) {
    if (first) warn_of_other_bits(state, environment);
    restore_trainer(communicator, place->checkpoint, state, *trainer);
  } else if (start.model) {
    copy_parameters(*start.model, trainer->table(), trainer->parameters().span());
    trainer->begin_average();
  }
  start.model.reset();
  state.arena_layout = models::arena_layout(trainer->table());
  state.program_digest = environment.program_digest;
  state.instruction_set = environment.instruction_set;
  state.threads_per_rank = environment.threads_per_rank;

  const double peak = peak_tokens_per_second(communicator, inputs->config);
  std::unique_ptr<metrics::MetricsObserver> metrics;
  std::unique_ptr<metrics::TensorboardObserver> tensorboard;
  comm::agree_on_first(communicator, [&] {
    run.directory->require_hold();
    run.directory->write_configuration(configuration);
    auto json = run::to_json(environment);
    job::add_to(json, here);
    json["from_step"] = state.step;
    json["data_fingerprint"] = state.data_fingerprint;
    json["peak_tokens_per_second"] = peak;
    json["parameters"] = model::shape::parameter_count(inputs->config);
    run.directory->add_environment(io::files::json_text(json));
    // A branch begins where its trunk stood.
    const std::int64_t first_step = options.decay_now ? options.schedule.steps - options.schedule.decay_steps + 1 : 1;
    metrics = std::make_unique<metrics::MetricsObserver>(options.run / "metrics.jsonl", state.step, first_step);
    if (options.tensorboard) {
      tensorboard = std::make_unique<metrics::TensorboardObserver>(options.run / "tensorboard", state.step);
    }
    run::say(fmt::format("{} {} of {} parameters on {} tokens: {} ranks x {} threads, {} lanes, {} tokens a step\n",
                         place ? fmt::format("going on from step {} with", state.step) : "training",
                         options.init.empty() ? options.model.preset : options.init.string(),
                         model::shape::parameter_count(inputs->config), inputs->training_tokens(), communicator.size(),
                         environment.threads_per_rank, options.lanes,
                         step_tokens_text(options, inputs->config.sequence_length, state.step)));
  });
  const std::vector<ValidationSet> validation = validation_sets(options, *inputs);
  checkpoint::CheckpointContext context{options.run, inputs->training().tokenizer_json(),
                                        inputs->training().tokenizer_fingerprint(), options.keep_checkpoints,
                                        options.keep_every};
  context.mark = run.hold_id;
  if (first) context.require_hold = [&] { run.directory->require_hold(); };
  if (inputs->has_mix()) {
    context.sources = [&](std::uint64_t consumed) { return source_states(options, *inputs, consumed); };
  }
  metrics::Console console(options.log_every, state.step, state.elapsed_seconds);
  job::Account account(communicator, environment.threads_per_rank);
  MeterReader meter(account);
  std::vector<metrics::StepObserver*> observers = {&meter};
  std::optional<HoldKeeper> keeper;
  if (first) {
    keeper.emplace(*run.directory);
    observers.insert(observers.end(), {&*keeper, metrics.get(), &console});
  }
  if (tensorboard) observers.push_back(tensorboard.get());
  RankWatch watch(communicator, account, here);
  PretrainLoop loop(communicator, options, context, *trainer, validation, requests, watch, observers, state,
                    place && place->checkpoint == models::checkpoint_folder(options.run, state.step));
  loop.set_peak(peak);
  const failure::ExitCode code = loop.run();
  const windows::BatchSizes batches = batch_sizes(options);
  const std::uint64_t sequences = batches.of_steps(loop.steps_taken()) - batches.of_steps(state.step);
  const job::Cost cost = account.cost(sequences * static_cast<std::uint64_t>(inputs->config.sequence_length));
  if (first) run::say(job::to_text(cost) + "\n");
  return code;
}

}  // namespace chainrule::pipeline::pretrain
