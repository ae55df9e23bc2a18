#include "pipeline/pretrain/verify_run.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "io/error.h"
#include "io/files/json_text.h"
#include "io/files/json_values.h"
#include "io/files/line_reader.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/failure/error.h"
#include "pipeline/models/checkpoint_places.h"
#include "pipeline/pretrain/inputs.h"
#include "pipeline/pretrain/resume.h"
#include "pipeline/pretrain/sources.h"
#include "pipeline/pretrain/start.h"
#include "pipeline/pretrain/trainer_state.h"
#include "pipeline/run/activity.h"
#include "pipeline/run/environment.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/run/threads.h"

namespace chainrule::pipeline::pretrain {
namespace {

namespace fs = std::filesystem;

/// The lines of the steps to be taken, in order, as a list of objects. Throws io::Error, Error (usage).
nlohmann::json lines_of(const fs::path& run, const Replay& replay) {
  const fs::path file = run / "metrics.jsonl";
  const std::string name = io::path_in_quotes(file);
  nlohmann::json lines = nlohmann::json::array();
  io::files::LineReader reader(file);
  std::int64_t last = 0;
  while (const auto text = reader.next()) {
    const std::string place = fmt::format("{}, line {}", name, reader.line_number());
    const nlohmann::json line = io::files::parse_untrusted_json(*text, place);  // somebody else's, perhaps
    if (!line.is_object() || !line.contains("step") || !io::files::is_whole<std::int64_t>(line["step"]) ||
        !line.contains("samples") || !io::files::is_whole<std::uint64_t>(line["samples"])) {
      throw io::Error(io::ErrorKind::bad_data, fmt::format("{}: it is no step of a run", place));
    }
    last = line["step"];
    if (last > replay.from && last <= replay.from + replay.steps) lines.push_back(line);
  }
  if (static_cast<std::int64_t>(lines.size()) == replay.steps) return lines;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("option '--steps': {} has {} of the steps {} to {}, and ends at step {}", name,
                                   lines.size(), replay.from + 1, replay.from + replay.steps, last));
}

nlohmann::json shared_lines(const comm::Communicator& communicator, const fs::path& run, const Replay& replay) {
  std::string text;
  comm::agree_on_first(communicator, [&] { text = io::files::json_text(lines_of(run, replay)); });
  return io::files::parse_json(communicator.broadcast(text));
}

/// The checkpoint that is begun from, which every rank sees whole. Collective.
Place place_of(const comm::Communicator& communicator, const PretrainOptions& options, std::int64_t step) {
  Place place{models::checkpoint_folder(options.run, step), {}};
  comm::agree_on_first(communicator, [&] {
    std::string there;
    for (const models::CheckpointPlace& each : models::list_checkpoints(options.run)) {
      if (each.step == step) return;
      there = fmt::format("{}{}{}", each.step, there.empty() ? "" : ", ", there);
    }
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("option '--from': {} has no checkpoint of step {}; there are {}",
                                io::path_in_quotes(options.run), step, there.empty() ? "none" : there));
  });
  checkpoint::require_intact(communicator, place.checkpoint);
  comm::agree(communicator, [&] {
    place.state = checkpoint::read_training_state(place.checkpoint);
    check_progress(place, options.run, options);
    check_average(place.checkpoint, options, false);
  });
  return place;
}

/// Compares one step with its line; says which numbers differ.
class Comparison {
 public:
  explicit Comparison(const nlohmann::json& line) : line_(line) {}

  void number(const char* name, double found) {
    const nlohmann::json& said = line_.contains(name) ? line_[name] : nlohmann::json();
    const bool same = std::isfinite(found) ? said.is_number() && said.get<double>() == found : said.is_null();
    if (!same) differs(name, said.dump(), fmt::format("{}", found));
  }
  void text(const char* name, const std::string& found) {
    const nlohmann::json said = line_.contains(name) ? line_[name] : nlohmann::json("");
    if (said == found) return;
    differs(name, said.is_string() ? io::in_quotes(said.get<std::string>()) : said.dump(), io::in_quotes(found));
  }
  const std::string& differences() const { return differences_; }

 private:
  void differs(const char* name, const std::string& said, const std::string& found) {
    differences_ +=
        fmt::format("{}{} is {} in metrics.jsonl and {} now", differences_.empty() ? "" : ", ", name, said, found);
  }

  const nlohmann::json& line_;
  std::string differences_;
};

/// Takes the line's step, and compares. Whether the line has a hash.
bool take_step(const comm::Communicator& communicator, const nlohmann::json& line, step::Trainer& trainer) {
  const auto samples = line["samples"].get<std::uint64_t>();
  const auto batch = static_cast<std::uint64_t>(trainer.next_batch());
  // A run that went back over a divergence goes on behind the samples that led to it, and says so.
  if (line.contains("rolled_back") && samples >= batch) trainer.set_progress(trainer.steps_taken(), samples - batch);
  const step::StepOutcome outcome = trainer.step({});
  const bool updated = outcome.status == step::StepStatus::updated;
  if (!updated) trainer.pass_over();
  const std::span<const float> weights = trainer.parameters().span();  // whole: nothing is on its way when this throws
  Comparison comparison(line);
  comparison.number("loss", outcome.nonfinite_tokens == 0 ? outcome.loss_nats : NAN);
  comparison.number("gradient_norm", updated ? outcome.gradient_norm : NAN);
  comparison.number("learning_rate", outcome.learning_rate);
  comparison.number("samples", static_cast<double>(trainer.samples_consumed()));
  comparison.text("skipped", describe_failure(outcome));
  const bool has_hash = line.contains("weights_hash");
  if (has_hash) {
    comparison.text("weights_hash", checkpoint::agreed_weights_hash(communicator, weights, outcome.step));
  }
  comm::agree_on_first(communicator, [&] {
    if (comparison.differences().empty()) return;
    throw failure::Error(failure::ExitCode::bad_data,
                         fmt::format("step {} is not that of the run: {}", outcome.step, comparison.differences()));
  });
  return has_hash;
}

/// Whether the run's checkpoint of this step is there with an average, which then is the trainer's. Collective.
bool compare_average(const comm::Communicator& communicator, const fs::path& run, std::int64_t step,
                     step::Trainer& trainer) {
  if (trainer.average() == nullptr) return false;
  const run::Activity::During reading(run::Activity::Phase::checkpoint);
  const fs::path checkpoint = models::checkpoint_folder(run, step);
  std::string there;
  comm::agree_on_first(communicator, [&] {
    if (io::files::is_there(checkpoint) && checkpoint::keeps_average(checkpoint)) there = checkpoint.string();
  });
  if (communicator.broadcast(there).empty()) return false;
  checkpoint::require_intact(communicator, checkpoint);
  comm::agree(communicator, [&] {
    optimizer::OwnedState kept = trainer.average()->state();
    const std::span<const float> now = kept.slots.front().values;
    std::vector<float> values(now.size());
    kept.slots.front().values = values;
    checkpoint::read_average(checkpoint, trainer.table().arena_size(), kept);
    if (std::memcmp(values.data(), now.data(), now.size_bytes()) == 0) return;
    throw failure::Error(failure::ExitCode::bad_data,
                         fmt::format("step {} is not that of the run: its weights' average is not what {} keeps", step,
                                     io::path_in_quotes(checkpoint)));
  });
  return true;
}

std::string counted(int count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

failure::ExitCode verify_run(const comm::Communicator& communicator, PretrainOptions options,
                             run::Configuration configuration, const Replay& replay, const std::string& program) {
  const bool first = communicator.rank() == 0;
  const run::Environment environment =
      run::gather_environment(communicator, program, run::use_threads(communicator, options.threads));
  adopt_init(communicator, options, configuration);
  options.validate_every = 0;  // nothing is validated: those data need not be there
  const Place place = place_of(communicator, options, replay.from);
  comm::agree(communicator, [&] {
    // What began behind that step is not what would begin here.
    if (!checkpoint::keeps_average(place.checkpoint)) options.average_decay.reset();
  });
  const nlohmann::json lines = shared_lines(communicator, options.run, replay);
  const Start start = find_start(communicator, options);
  std::unique_ptr<PretrainInputs> inputs;
  comm::agree(communicator, [&] {
    inputs = std::make_unique<PretrainInputs>(open_inputs(options, start));
    check_sources(place.state, options, *inputs);
  });
  check_same_data(communicator, options, *inputs);
  check_lanes(options.lanes, communicator.size());
  verify_inputs(communicator, *inputs);
  const std::unique_ptr<windows::SampleSource> samples = make_samples(options, *inputs);
  const comm::Communicator exchange = communicator.duplicate();
  const std::unique_ptr<step::Trainer> trainer =
      make_trainer(communicator, exchange, inputs->config, options, *samples);
  if (first) warn_of_other_bits(place.state, environment);
  restore_trainer(communicator, place.checkpoint, place.state, *trainer);

  int hashes = 0;
  int averages = 0;
  for (const nlohmann::json& line : lines) {
    run::Activity::enter(run::Activity::Phase::step, trainer->steps_taken() + 1);
    if (take_step(communicator, line, *trainer)) ++hashes;
    if (compare_average(communicator, options.run, trainer->steps_taken(), *trainer)) ++averages;
  }
  run::Activity::enter(run::Activity::Phase::end, trainer->steps_taken());
  if (first) {
    run::print(fmt::format(
        "steps {} to {} are those of the run, in every bit: loss, gradient norm and learning rate of "
        "{} steps, {} of the weights{}\n",
        replay.from + 1, replay.from + replay.steps, replay.steps, counted(hashes, "hash", "hashes"),
        averages == 0 ? "" : fmt::format(", their average in {}", counted(averages, "checkpoint", "checkpoints"))));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::pretrain
