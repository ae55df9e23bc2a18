#include "pipeline/pretrain/step/recent_steps.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace chainrule::pipeline::pretrain::step {

RecentValues::RecentValues(std::vector<double> values) : values_(std::move(values)) {
  if (values_.size() > kMost) values_.erase(values_.begin(), values_.end() - kMost);
}

std::optional<double> RecentValues::limit() const {
  if (values_.size() < kMost) return std::nullopt;
  constexpr auto kCount = static_cast<double>(kMost);
  double mean = 0;
  for (const double value : values_) mean += value / kCount;
  double variance = 0;
  for (const double value : values_) variance += (value - mean) * (value - mean) / (kCount - 1);
  return mean + kDeviations * std::sqrt(variance);
}

void RecentValues::add(double value) {
  if (values_.size() == kMost) values_.erase(values_.begin());
  values_.push_back(value);
}

}  // namespace chainrule::pipeline::pretrain::step
