#include "pipeline/windows/mix_order.h"

#include <algorithm>
#include <stdexcept>

namespace chainrule::pipeline::windows {

MixOrder::MixOrder(const std::vector<MixStage>& stages) {
  if (stages.empty() || stages.front().first_sample != 0) throw std::invalid_argument("a mix without a first stage");
  for (const MixStage& stage : stages) {
    if (stage.weights.size() != stages.front().weights.size() ||
        (!stages_.empty() && stage.first_sample <= stages_.back().first_sample)) {
      throw std::invalid_argument("stages of a mix that do not follow each other");
    }
    std::vector<std::uint64_t> before =
        stages_.empty() ? std::vector<std::uint64_t>(stage.weights.size()) : counts(stage.first_sample);
    stages_.push_back({stage.first_sample, Apportionment(stage.weights), std::move(before)});
  }
}

const MixOrder::Stage& MixOrder::stage_of(std::uint64_t n) const {
  return *(std::ranges::upper_bound(stages_, n, {}, &Stage::first_sample) - 1);
}

Apportionment::Place MixOrder::at(std::uint64_t n) const {
  const Stage& stage = stage_of(n);
  const Apportionment::Place place = stage.order.at(n - stage.first_sample);
  return {place.source, stage.before[place.source] + place.index};
}

std::vector<std::uint64_t> MixOrder::counts(std::uint64_t n) const {
  const Stage& stage = stage_of(n);
  std::vector<std::uint64_t> counts = stage.order.counts(n - stage.first_sample);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += stage.before[i];
  return counts;
}

}  // namespace chainrule::pipeline::windows
