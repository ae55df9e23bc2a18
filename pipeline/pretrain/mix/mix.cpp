#include "pipeline/pretrain/mix/mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain::mix {

std::optional<std::size_t> Mix::find(std::string_view name) const {
  const auto found = std::ranges::find(sources, name, &Source::name);
  if (found == sources.end()) return std::nullopt;
  return static_cast<std::size_t>(found - sources.begin());
}

const Stage& Mix::stage_behind(std::int64_t step) const {
  return *(std::ranges::upper_bound(stages, step, {}, &Stage::step) - 1);
}

Mix of_one_source(const std::filesystem::path& data) {
  return {.sources = {{"", data}}, .stages = {{.step = 0, .weights = {kWeightUnit}}}};
}

std::string weight_text(std::uint64_t weight) {
  std::string text = fmt::format("{}.{:06}", weight / kWeightUnit, weight % kWeightUnit);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::vector<std::string> to_entries(const Mix& mix) {
  std::vector<std::string> entries;
  const auto add = [&](std::size_t source, std::uint64_t weight, std::int64_t step) {
    entries.push_back(fmt::format("{}={}:{}{}", mix.sources[source].name, mix.sources[source].data.string(),
                                  weight_text(weight), step == 0 ? "" : fmt::format("@{}", step)));
  };
  for (std::size_t i = 0; i < mix.sources.size(); ++i) {
    std::uint64_t before = 0;
    bool named = false;
    for (const Stage& stage : mix.stages) {
      if (stage.weights[i] != before) {
        add(i, stage.weights[i], stage.step);
        named = true;
      }
      before = stage.weights[i];
    }
    if (!named) add(i, 0, 0);
  }
  return entries;
}

windows::MixOrder order_of(const Mix& mix, const windows::BatchSizes& batches, std::int64_t steps) {
  constexpr double kMostSamples = 9e18;
  const std::int64_t whole = batches.all().back();
  if (static_cast<double>(whole) * static_cast<double>(steps) > kMostSamples) {
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format("--steps {} of --global-batch {} are more samples than can be counted", steps, whole));
  }
  std::vector<windows::MixStage> stages;
  for (const Stage& stage : mix.stages) {
    // Stages behind the run's last step too: it comes there where it goes back over samples and passes over them.
    if (static_cast<double>(whole) * static_cast<double>(stage.step) > kMostSamples) break;
    stages.push_back({batches.of_steps(stage.step), stage.weights});
  }
  return windows::MixOrder(stages);
}

}  // namespace chainrule::pipeline::pretrain::mix
