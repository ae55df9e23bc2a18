#include <fmt/format.h>

#include <algorithm>

#include "pipeline/failure/error.h"
#include "pipeline/pretrain/mix/mix.h"
#include "pipeline/pretrain/mix/stages.h"

namespace chainrule::pipeline::pretrain::mix {
namespace {

/// The weights of `stage` of the mix `from`, as a stage of `mix`: what `from` does not name has none.
Stage of_sources(const Mix& mix, const Mix& from, const Stage& stage, std::int64_t step) {
  Stage made{.step = step, .weights = {}};
  for (const Source& source : mix.sources) {
    const std::optional<std::size_t> found = from.find(source.name);
    made.weights.push_back(found ? stage.weights[*found] : 0);
  }
  return made;
}

/// The stages before `step`.
std::vector<Stage> stages_before(const Mix& mix, std::int64_t step) {
  std::vector<Stage> stages;
  for (const Stage& stage : mix.stages) {
    if (stage.step < step) stages.push_back(stage);
  }
  return stages;
}

bool has_begun(const Mix& mix, std::size_t source, std::int64_t step) {
  return std::ranges::any_of(stages_before(mix, step), [&](const Stage& stage) { return stage.weights[source] != 0; });
}

}  // namespace

Mix continued(const Mix& saved, const Mix& asked, std::int64_t step) {
  const auto fail = [](const std::string& why) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("option '--mix': {}", why));
  };
  for (std::size_t i = 0; i < saved.sources.size(); ++i) {
    const std::string& name = saved.sources[i].name;
    if (has_begun(saved, i, step) && !asked.find(name)) {
      fail(fmt::format("the source '{}' of this run is not named: with a weight of 0 it ends", name));
    }
  }
  Mix before{.sources = asked.sources, .stages = {}};
  for (const Stage& stage : stages_before(saved, step)) {
    before.stages.push_back(of_sources(before, saved, stage, stage.step));
  }
  const std::vector<Stage> asked_before = stages_before(asked, step);
  const auto as_asked = [](const Stage& was, const Stage& is) {
    return was.step == is.step && same_proportions(was, is);
  };
  if (std::ranges::equal(before.stages, asked_before, as_asked)) return asked;
  for (const Stage& stage : asked_before) {
    if (stage.step == 0) continue;
    fail(fmt::format(
        "the stage behind step {} is not as this run had it, which stands at step {}: what was trained does "
        "not change, and weights without @STEP hold from now on",
        stage.step, step));
  }
  Mix mix = before;
  add_stage(mix, of_sources(mix, asked, asked.stage_behind(step), step));
  for (const Stage& stage : asked.stages) {
    if (stage.step > step) add_stage(mix, stage);
  }
  return mix;
}

}  // namespace chainrule::pipeline::pretrain::mix
