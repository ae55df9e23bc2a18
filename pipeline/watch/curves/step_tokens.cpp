#include "pipeline/watch/curves/step_tokens.h"

#include <algorithm>
#include <cmath>

namespace chainrule::pipeline::watch::curves {
namespace {

constexpr std::size_t kMostKnots = 4096;
constexpr double kEqual = 1e-9;

bool nearly_equal(double a, double b) { return std::abs(a - b) <= kEqual * std::max(std::abs(a), std::abs(b)); }

}  // namespace

void StepTokens::add(std::int64_t step, std::int64_t tokens) {
  const Knot next = {static_cast<double>(step), static_cast<double>(tokens)};
  if (knots_.size() > 1) {
    const Knot& last = knots_.back();
    const Knot& before = *(knots_.end() - 2);
    const double a_step = (last.tokens - before.tokens) / (last.step - before.step);
    if (nearly_equal(next.tokens - last.tokens, a_step * (next.step - last.step))) knots_.pop_back();
  }
  knots_.push_back(next);
  if (knots_.size() > kMostKnots) thin_out();
}

/// Leaves every second one out, but for both ends.
void StepTokens::thin_out() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < knots_.size(); ++i) {
    if (i % 2 == 0 || i + 1 == knots_.size()) knots_[kept++] = knots_[i];
  }
  knots_.resize(kept);
}

double StepTokens::at(double step) const {
  if (knots_.size() == 1) return 0;
  auto end = std::lower_bound(knots_.begin() + 1, knots_.end(), step,
                              [](const Knot& knot, double place) { return knot.step < place; });
  if (end == knots_.end()) --end;
  const Knot& begin = *(end - 1);
  return begin.tokens + (end->tokens - begin.tokens) * (step - begin.step) / (end->step - begin.step);
}

bool StepTokens::differ_from(const StepTokens& other) const {
  if (knots_.size() == 1 || other.knots_.size() == 1) return false;
  const double end = std::min(knots_.back().step, other.knots_.back().step);
  const auto differ_at = [&](double step) { return step <= end && !nearly_equal(at(step), other.at(step)); };
  const auto differ = [&](const Knot& knot) { return differ_at(knot.step); };
  return std::any_of(knots_.begin(), knots_.end(), differ) ||
         std::any_of(other.knots_.begin(), other.knots_.end(), differ) || differ_at(end);
}

}  // namespace chainrule::pipeline::watch::curves
