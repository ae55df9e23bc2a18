#include "pipeline/windows/batch_sizes.h"

#include <algorithm>

#include "model/round_up.h"

namespace chainrule::pipeline::windows {

BatchSizes::BatchSizes(std::int64_t whole, const std::optional<BatchRamp>& ramp) {
  Run next{.size = ramp ? ramp->start : whole};
  const std::int64_t increments = ramp && ramp->increment > 0 ? (whole - ramp->start) / ramp->increment : 0;
  for (std::int64_t i = 1; i <= increments; ++i) {
    // The i-th increment is due once i / increments of the ramp's samples, rounded up, are taken.
    const std::int64_t each = ramp->samples / increments;
    const std::int64_t rest = ramp->samples % increments;
    const auto due = static_cast<std::uint64_t>(each * i + model::divide_up(rest * i, increments));
    if (due > next.samples_before) {
      runs_.push_back(next);
      const std::int64_t steps = model::divide_up(static_cast<std::int64_t>(due - next.samples_before), next.size);
      next.steps_before += steps;
      next.samples_before += static_cast<std::uint64_t>(steps * next.size);
    }
    next.size = ramp->start + i * ramp->increment;
  }
  runs_.push_back(next);
}

std::int64_t BatchSizes::of_step(std::int64_t step) const {
  const auto behind = std::ranges::upper_bound(runs_, step - 1, {}, &Run::steps_before);
  return std::prev(behind)->size;
}

std::uint64_t BatchSizes::of_steps(std::int64_t steps) const {
  const Run& run = *std::prev(std::ranges::upper_bound(runs_, steps, {}, &Run::steps_before));
  return run.samples_before + static_cast<std::uint64_t>((steps - run.steps_before) * run.size);
}

std::int64_t BatchSizes::steps_with(std::uint64_t samples) const {
  const Run& run = *std::prev(std::ranges::upper_bound(runs_, samples, {}, &Run::samples_before));
  const auto size = static_cast<std::uint64_t>(run.size);
  return run.steps_before + static_cast<std::int64_t>((samples - run.samples_before + size - 1) / size);
}

std::vector<std::int64_t> BatchSizes::all() const {
  std::vector<std::int64_t> sizes;
  for (const Run& run : runs_) sizes.push_back(run.size);
  return sizes;
}

}  // namespace chainrule::pipeline::windows
