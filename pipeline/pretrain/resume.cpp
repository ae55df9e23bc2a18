#include "pipeline/pretrain/resume.h"

#include <fmt/format.h>

#include <numeric>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/models/model_description.h"
#include "pipeline/pretrain/average_options.h"
#include "pipeline/pretrain/mix/mix_options.h"
#include "pipeline/pretrain/schedule_options.h"
#include "pipeline/pretrain/sources.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::pretrain {
namespace {

namespace fs = std::filesystem;

/// What the run, whose config.cfg is `saved`, has trained on stays; what is asked for beside it holds from the place
/// on. A mix counts steps by the samples that they take, those included that the run went back over.
void continue_mix(const run::Configuration& saved, const fs::path& file, const Place& place, PretrainOptions& options) {
  const std::int64_t step = batch_sizes(options).steps_with(place.state.samples_consumed);
  const mix::Mix before = mix::mix_in(saved, file);
  if (!before.empty()) options.mix = mix::continued(before, options.mix, step);
}

/// The checkpoint at which the branch, whose config.cfg is `saved`, was begun before.
fs::path trunk_before(const PretrainOptions& options, const run::Configuration& saved) {
  const model::optimizer::ScheduleOptions begun = schedule_in(saved, options.run / run::kConfigurationName);
  const fs::path folder = models::checkpoint_folder(options.init, begun.steps - begun.decay_steps);
  if (io::files::is_there(folder)) return folder;
  throw failure::Error(
      failure::ExitCode::usage,
      fmt::format("{} was begun at {}, which is gone: choose another --run to begin at the run's newest",
                  io::path_in_quotes(options.run), io::path_in_quotes(folder)));
}

/// The checkpoint that --decay-now goes on from: the newest intact one of --init, or the one at which the branch was
/// begun before. Collective.
fs::path choose_trunk(const comm::Communicator& communicator, const OpenedRun& opened, const PretrainOptions& options) {
  std::string before;
  comm::agree_on_first(communicator, [&] {
    if (models::list_checkpoints(options.init).empty()) {
      throw failure::Error(failure::ExitCode::usage,
                           fmt::format("option '--decay-now' goes on from a run of chainrule: {} has no checkpoints",
                                       io::path_in_quotes(options.init)));
    }
    if (opened.saved) before = trunk_before(options, *opened.saved).string();
  });
  before = communicator.broadcast(before);
  if (before.empty()) {
    if (const auto newest = checkpoint::find_intact_checkpoint_of_another(communicator, options.init)) return *newest;
    throw failure::AgreedError(failure::ExitCode::missing_input,
                               fmt::format("the checkpoints of {} are gone", io::path_in_quotes(options.init)));
  }
  checkpoint::require_intact(communicator, before);
  return before;
}

/// The branch's place in its trunk, and its schedule.
Place branch_off(const comm::Communicator& communicator, const OpenedRun& opened, PretrainOptions& options,
                 run::Configuration& configuration, const PretrainInputs& inputs) {
  Place place{choose_trunk(communicator, opened, options), {}};
  comm::agree(communicator, [&] {
    place.state = checkpoint::read_training_state(place.checkpoint);
    const std::int64_t length = models::read_model_description(place.checkpoint / "model.json").config.sequence_length;
    if (length != inputs.config.sequence_length) {
      throw failure::Error(failure::ExitCode::usage,
                           fmt::format("option '--sequence-length': a branch has that of its run, {}, not {}", length,
                                       inputs.config.sequence_length));
    }
    const fs::path file = options.init / run::kConfigurationName;
    const run::Configuration trunk = run::read_configuration(file);
    if (opened.lanes_by_default) use_lanes(saved_lanes(options, trunk, file, options.lanes), options, configuration);
    check_same_trunk(trunk, configuration);
    const model::optimizer::ScheduleOptions before = schedule_in(trunk, file);
    const std::int64_t steps = place.state.step + options.schedule.decay_steps;
    if (options.schedule_asked.steps.value_or(steps) != steps) {
      throw failure::Error(
          failure::ExitCode::usage,
          fmt::format("option '--steps' is {}: the run of --init stands at step {}, and with "
                      "--decay-steps {} it ends at {}",
                      *options.schedule_asked.steps, place.state.step, options.schedule.decay_steps, steps));
    }
    options.schedule_asked.steps = steps;
    options.schedule = schedule_of(options.schedule_asked, before);
    check_same_rates(before, options.schedule, place.state.step);
    mix::check_same_kind(trunk, configuration);
    check_progress(place, options.init, options);
    check_average(place.checkpoint, options, true);
    continue_mix(trunk, file, place, options);
  });
  return place;
}

}  // namespace

void check_progress(const Place& place, const fs::path& run, const PretrainOptions& options) {
  const checkpoint::TrainingState& state = place.state;
  const windows::BatchSizes batches = batch_sizes(options);
  // Whole batches were passed over.
  const auto unit = static_cast<std::uint64_t>(
      options.batch_ramp ? std::gcd(options.batch_ramp->start, options.batch_ramp->increment) : options.global_batch);
  if (place.checkpoint == models::checkpoint_folder(run, state.step) && state.step >= 0 &&
      state.step <= options.schedule.steps && state.samples_passed_over % unit == 0 &&
      state.samples_consumed == batches.of_steps(state.step) + state.samples_passed_over) {
    return;
  }
  throw io::Error(
      io::ErrorKind::bad_data,
      fmt::format("'{}' says step {} and {} samples, which cannot be there in a run of {} steps of {} samples{}",
                  place.checkpoint.string(), state.step, state.samples_consumed, options.schedule.steps,
                  options.global_batch, options.batch_ramp ? ", fewer at first" : ""));
}

void check_average(const fs::path& checkpoint, const PretrainOptions& options, bool is_branch) {
  const auto kept = models::read_model_description(checkpoint / "model.json").average;
  const std::string asked = options.average_decay ? average_rule(*options.average_decay) : "";
  if (!kept || kept->rule == asked || (is_branch && asked.empty())) return;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("option '--average' is {} in {} and {} now: an average goes on as it was begun",
                                   kept->rule, io::path_in_quotes(checkpoint), asked.empty() ? "not given" : asked));
}

std::optional<Place> find_place(const comm::Communicator& communicator, const OpenedRun& opened,
                                PretrainOptions& options, run::Configuration& configuration,
                                const PretrainInputs& inputs) {
  std::optional<Place> place;
  if (const auto own = checkpoint::find_intact_checkpoint(communicator, options.run)) {
    place = Place{*own, {}};
    comm::agree(communicator, [&] {
      place->state = checkpoint::read_training_state(place->checkpoint);
      const fs::path file = options.run / run::kConfigurationName;
      if (opened.saved) check_same_rates(schedule_in(*opened.saved, file), options.schedule, place->state.step);
      check_progress(*place, options.run, options);
      check_average(place->checkpoint, options, false);
      if (opened.saved) continue_mix(*opened.saved, file, *place, options);
    });
  } else if (options.decay_now) {
    place = branch_off(communicator, opened, options, configuration, inputs);
  }
  if (place) comm::agree(communicator, [&] { check_sources(place->state, options, inputs); });
  set_schedule(configuration, options.schedule);
  mix::set_mix(configuration, options.mix);
  return place;
}

Place find_branch(const comm::Communicator& communicator, const OpenedRun& seen, PretrainOptions& options,
                  run::Configuration& configuration, const PretrainInputs& inputs) {
  const Place place = branch_off(communicator, seen, options, configuration, inputs);
  comm::agree(communicator, [&] { check_sources(place.state, options, inputs); });
  return place;
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

}  // namespace chainrule::pipeline::pretrain
