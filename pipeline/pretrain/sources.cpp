#include "pipeline/pretrain/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include "io/error.h"
#include "io/files/digest.h"
#include "io/quote.h"
#include "model/split_mix.h"
#include "pipeline/failure/error.h"
#include "pipeline/show/numbers.h"
#include "pipeline/windows/mixed_windows.h"

namespace chainrule::pipeline::pretrain {
namespace {

windows::MixOrder sample_order(const PretrainOptions& options) {
  return mix::order_of(options.mix, batch_sizes(options), options.schedule.steps);
}

/// The samples of an epoch of a source.
std::uint64_t windows_of(const SourceInput& source, const PretrainInputs& inputs) {
  return windows::Windows(*source.training, inputs.config.sequence_length).whole_count();
}

/// What the whole run takes of each source.
std::vector<std::uint64_t> samples_of_run(const PretrainOptions& options) {
  return sample_order(options).counts(batch_sizes(options).of_steps(options.schedule.steps));
}

/// The step behind which a source first has a weight.
std::int64_t first_step(const mix::Mix& mix, std::size_t source) {
  for (const mix::Stage& stage : mix.stages) {
    if (stage.weights[source] != 0) return stage.step;
  }
  return std::numeric_limits<std::int64_t>::max();
}

void require_same_data(const std::string& option, const io::tokens::TokenStream& data, const std::string& trained_on) {
  if (data.fingerprint() == trained_on) return;
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("option '{}': '{}' has fingerprint {}, this run was trained on {}", option,
                                   data.path().string(), data.fingerprint(), trained_on));
}

}  // namespace

std::vector<std::uint64_t> source_seeds(const mix::Mix& mix, std::uint64_t seed) {
  std::vector<std::size_t> by_beginning(mix.sources.size());
  std::iota(by_beginning.begin(), by_beginning.end(), std::size_t{0});
  std::ranges::stable_sort(by_beginning, {}, [&](std::size_t source) { return first_step(mix, source); });
  std::vector<std::uint64_t> seeds(mix.sources.size(), seed);
  for (std::size_t i = 1; i < by_beginning.size(); ++i) {
    seeds[by_beginning[i]] = model::split_mix(model::split_mix(seed) + i);
  }
  return seeds;
}

std::unique_ptr<windows::SampleSource> make_samples(const PretrainOptions& options, const PretrainInputs& inputs) {
  const std::vector<std::uint64_t> seeds = source_seeds(options.mix, options.seed);
  std::vector<windows::PermutedWindows> sources;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    sources.emplace_back(windows::Windows(*inputs.sources[i].training, inputs.config.sequence_length), seeds[i]);
  }
  return std::make_unique<windows::MixedWindows>(sample_order(options), std::move(sources));
}

std::vector<checkpoint::SourceState> source_states(const PretrainOptions& options, const PretrainInputs& inputs,
                                                   std::uint64_t samples) {
  const std::vector<std::uint64_t> counts = sample_order(options).counts(samples);
  std::vector<checkpoint::SourceState> states;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    states.push_back({inputs.sources[i].name, counts[i], inputs.sources[i].training->fingerprint()});
  }
  return states;
}

std::string fingerprint_of(const PretrainInputs& inputs) {
  if (!inputs.has_mix()) return inputs.training().fingerprint();
  io::files::Digest digest;
  for (const SourceInput& source : inputs.sources) {
    const std::string line = fmt::format("{}={}\n", source.name, source.training->fingerprint());
    digest.update(line.data(), line.size());
  }
  return digest.hexadecimal();
}

void check_sources(const checkpoint::TrainingState& state, const PretrainOptions& options,
                   const PretrainInputs& inputs) {
  if (!inputs.has_mix() && state.sources.empty()) {
    require_same_data("--data", inputs.training(), state.data_fingerprint);
    return;
  }
  const auto damaged = [&](const std::string& what) {
    throw io::Error(
        io::ErrorKind::bad_data,
        fmt::format("the checkpoint of step {} has {}, which cannot be there by the run's --mix", state.step, what));
  };
  const std::vector<checkpoint::SourceState> wanted = source_states(options, inputs, state.samples_consumed);
  for (const checkpoint::SourceState& taken : state.sources) {
    const auto source = std::ranges::find(wanted, taken.name, &checkpoint::SourceState::name);
    const bool twice = std::ranges::count(state.sources, taken.name, &checkpoint::SourceState::name) != 1;
    if (source != wanted.end() && source->samples == taken.samples && !twice) continue;
    if (source == wanted.end() && taken.samples == 0) continue;  // it had not begun, and is not to begin any more
    damaged(fmt::format("{} samples of the source {}", taken.samples, io::in_quotes(taken.name)));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto taken = std::ranges::find(state.sources, wanted[i].name, &checkpoint::SourceState::name);
    if (wanted[i].samples == 0) continue;
    if (taken == state.sources.end()) damaged(fmt::format("no samples of the source '{}'", wanted[i].name));
    require_same_data(fmt::format("--mix {}", wanted[i].name), *inputs.sources[i].training, taken->data_fingerprint);
  }
}

void check_epochs(const PretrainOptions& options, const PretrainInputs& inputs) {
  if (!options.max_epochs) return;
  const std::vector<std::uint64_t> samples = samples_of_run(options);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const SourceInput& source = inputs.sources[i];
    const std::uint64_t windows = windows_of(source, inputs);
    const double epochs = static_cast<double>(samples[i]) / static_cast<double>(windows);
    if (epochs <= *options.max_epochs) continue;
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format(
            "{}{} steps take {} samples of its {} windows, {:.2f} epochs, more than --max-epochs {}: {}fewer "
            "--steps, more data, or a larger --max-epochs would do",
            source.name.empty() ? "option '--data': " : fmt::format("option '--mix': of '{}' ", source.name),
            options.schedule.steps, samples[i], windows, epochs, *options.max_epochs,
            inputs.sources.size() > 1 ? fmt::format("{:.3g} times its weight, ", *options.max_epochs / epochs) : ""));
  }
}

std::string stages_behind_end(const PretrainOptions& options, std::uint64_t samples_passed_over) {
  const windows::BatchSizes batches = batch_sizes(options);
  const std::int64_t end = batches.steps_with(batches.of_steps(options.schedule.steps) + samples_passed_over);
  std::string steps;
  for (const mix::Stage& stage : options.mix.stages) {
    if (options.decay_now || stage.step == 0 || stage.step < end) continue;
    steps += fmt::format("{}@{}", steps.empty() ? "" : ", ", stage.step);
  }
  if (steps.empty()) return "";
  return fmt::format("option '--mix': the run ends at --steps {}, so {} will hold only if it is given more steps",
                     options.schedule.steps, steps);
}

std::string sources_table(const PretrainOptions& options, const PretrainInputs& inputs) {
  std::size_t width = 6;
  for (const SourceInput& source : inputs.sources) width = std::max(width, source.name.size());
  std::string text = fmt::format("the mix\n  {:<{}}  {:>16}", "source", width, "tokens");
  for (const mix::Stage& stage : options.mix.stages) {
    text += fmt::format("  {:>12}", stage.step == 0 ? std::string("weight") : fmt::format("@{}", stage.step));
  }
  text += fmt::format("  {:>14}  {:>8}\n", "samples", "epochs");
  const std::vector<std::uint64_t> samples = samples_of_run(options);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const SourceInput& source = inputs.sources[i];
    text += fmt::format("  {:<{}}  {:>16}", source.name, width, show::grouped(source.training->token_count()));
    for (const mix::Stage& stage : options.mix.stages) {
      text += fmt::format("  {:>12}", mix::weight_text(stage.weights[i]));
    }
    text += fmt::format("  {:>14}  {:>8.2f}\n", show::grouped(samples[i]),
                        static_cast<double>(samples[i]) / static_cast<double>(windows_of(source, inputs)));
  }
  return text;
}

}  // namespace chainrule::pipeline::pretrain
