#include "pipeline/pretrain/mix/stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/failure/error.h"
#include "pipeline/windows/apportionment.h"

namespace chainrule::pipeline::pretrain::mix {
namespace {

void check_weights(const Stage& stage) {
  const std::uint64_t period = windows::Apportionment::period_of(stage.weights);
  if (period == 0) {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("option '--mix': {} no source has a weight above 0", place_of(stage.step)));
  }
  if (period > windows::Apportionment::kLongestPeriod) {
    throw failure::Error(
        failure::ExitCode::usage,
        fmt::format(
            "option '--mix': {} the weights are exact after {} samples only, more than {}: give them fewer digits",
            place_of(stage.step), period, windows::Apportionment::kLongestPeriod));
  }
}

}  // namespace

std::string place_of(std::int64_t step) {
  return step == 0 ? std::string("at the start") : fmt::format("behind step {}", step);
}

bool same_proportions(const Stage& one, const Stage& other) {
  const std::uint64_t period = windows::Apportionment::period_of(one.weights);
  if (period != windows::Apportionment::period_of(other.weights)) return false;
  const auto total = [](const Stage& stage) {
    std::uint64_t sum = 0;
    for (const std::uint64_t weight : stage.weights) sum += weight;
    return sum;
  };
  const std::uint64_t divisor = total(one) / period;
  const std::uint64_t other_divisor = total(other) / period;
  return std::ranges::equal(one.weights, other.weights,
                            [&](std::uint64_t a, std::uint64_t b) { return a / divisor == b / other_divisor; });
}

void add_stage(Mix& mix, Stage stage) {
  check_weights(stage);
  if (mix.stages.empty() || !same_proportions(mix.stages.back(), stage)) mix.stages.push_back(std::move(stage));
}

}  // namespace chainrule::pipeline::pretrain::mix
