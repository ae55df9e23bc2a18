#include "pipeline/pretrain/opened_run.h"

#include <fmt/format.h>

#include <charconv>

#include "io/error.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/exchange/lanes.h"
#include "pipeline/pretrain/mix/mix_options.h"
#include "pipeline/pretrain/schedule_options.h"

namespace chainrule::pipeline::pretrain {
namespace {

namespace fs = std::filesystem;

/// Options that change no weight: they may differ when a run is started again. The data may have moved; that it is the
/// same is checked by its fingerprint. The schedule's are compared by the learning rates that they make, the average's
/// with what the checkpoint keeps.
std::vector<std::string> may_differ() {
  std::vector<std::string> names = {"run",
                                    "data",
                                    "mix",
                                    "mix-validation",
                                    "max-epochs",
                                    "validation-data",
                                    "tokenizer",
                                    "validate-every",
                                    "validation-tokens",
                                    "checkpoint-every",
                                    "log-every",
                                    "tensorboard",
                                    "threads",
                                    "keep-checkpoints",
                                    "recompute",
                                    "checkpoint-minutes",
                                    "checkpoint-mode",
                                    "expected-failure-hours",
                                    "keep-every",
                                    "time-limit",
                                    "max-skips",
                                    "average",
                                    "on-divergence"};
  names.insert(names.end(), schedule_option_names().begin(), schedule_option_names().end());
  return names;
}

/// Also those that a branch has, or has not, of a run's; its shape is compared by the checkpoint's layout.
std::vector<std::string> may_differ_in_branch(const run::Configuration& trunk) {
  std::vector<std::string> names = may_differ();
  names.insert(names.end(), {"init", "decay-now"});
  if (run::value_of(trunk, "init")) return names;
  names.insert(names.end(),
               {"model", "layers", "heads", "key-value-heads", "width", "feed-forward-width", "sequence-length",
                "activation", "attention-window", "query-key-norm", "logit-soft-cap", "zero-residuals"});
  return names;
}

/// What the run was begun with completes what it is asked for now, where nothing else is. Throws Error (usage) where an
/// option differs that may not, io::Error.
void adopt_saved(const std::optional<run::Configuration>& saved, const fs::path& file, std::int64_t lanes_by_default,
                 PretrainOptions& options, run::Configuration& configuration) {
  if (options.lanes == 0) {
    use_lanes(saved ? saved_lanes(options, *saved, file, lanes_by_default) : lanes_by_default, options, configuration);
  } else {
    use_lanes(options.lanes, options, configuration);
  }
  if (!saved) return;
  options.schedule = schedule_of(options.schedule_asked, schedule_in(*saved, file));
  validate(options);
  run::check_same_run(*saved, configuration, may_differ());
  mix::check_same_kind(*saved, configuration);
}

}  // namespace

std::int64_t saved_lanes(const PretrainOptions& options, const run::Configuration& saved, const fs::path& config,
                         std::int64_t otherwise) {
  const std::optional<std::string> text = run::value_of(saved, "lanes");
  if (!text) return otherwise;
  std::int64_t lanes = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, lanes);
  PretrainOptions with = options;
  with.lanes = lanes;
  const std::string file = io::path_in_quotes(config);
  if (error != std::errc() || stop != end || lanes == 0) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: lanes = '{}' is no number of lanes", file, *text));
  }
  try {
    validate(with);
  } catch (const failure::Error& refusal) {
    throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: {}", file, refusal.what()));
  }
  return lanes;
}

void use_lanes(std::int64_t lanes, PretrainOptions& options, run::Configuration& configuration) {
  options.lanes = lanes;
  run::set_value(configuration, "lanes", std::to_string(lanes));
}

void check_same_trunk(const run::Configuration& trunk, const run::Configuration& configuration) {
  run::check_same_run(trunk, configuration, may_differ_in_branch(trunk));
}

void check_lanes(std::int64_t lanes, int ranks) {
  if (ranks <= lanes) return;
  throw failure::AgreedError(
      failure::ExitCode::usage,
      fmt::format("{} ranks are more than the {} lanes of this run: use at most {} ranks, or more "
                  "--lanes in a new run",
                  ranks, lanes, lanes));
}

OpenedRun open_run(const comm::Communicator& communicator, PretrainOptions& options,
                   run::Configuration& configuration) {
  OpenedRun opened;
  std::string text;
  comm::agree_on_first(communicator, [&] {
    opened.directory = std::make_unique<run::RunDirectory>(run::RunDirectory::open(options.run));
    opened.saved = opened.directory->configuration();
    if (opened.saved) text = run::to_text(*opened.saved);
  });
  text = communicator.broadcast(text);
  const fs::path file = options.run / run::kConfigurationName;
  comm::agree(communicator, [&] {
    if (!text.empty()) opened.saved = run::parse_configuration(text, file.string());
    const std::int64_t by_default = exchange::default_lanes(communicator.size());
    opened.lanes_by_default = options.lanes == 0 && !opened.saved;
    adopt_saved(opened.saved, file, by_default, options, configuration);
  });
  const std::string holder = communicator.broadcast(opened.directory ? opened.directory->holder() : std::string());
  comm::agree(communicator, [&] { run::require_held(options.run, holder); });
  opened.hold_id = communicator.broadcast(opened.directory ? opened.directory->hold_id() : std::string());
  return opened;
}

OpenedRun look_at_run(const comm::Communicator& communicator, PretrainOptions& options,
                      run::Configuration& configuration) {
  OpenedRun seen;
  const fs::path file = options.run / run::kConfigurationName;
  std::string text;
  comm::agree_on_first(communicator, [&] {
    if (options.run.empty() || !io::files::is_there(file)) return;
    text = run::to_text(run::read_configuration(file));
  });
  text = communicator.broadcast(text);
  comm::agree(communicator, [&] {
    if (!text.empty()) seen.saved = run::parse_configuration(text, file.string());
    seen.lanes_by_default = options.lanes == 0 && !seen.saved;
    adopt_saved(seen.saved, file, exchange::default_lanes(communicator.size()), options, configuration);
  });
  return seen;
}

}  // namespace chainrule::pipeline::pretrain
