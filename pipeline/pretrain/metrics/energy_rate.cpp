#include "pipeline/pretrain/metrics/energy_rate.h"

#include <cmath>

namespace chainrule::pipeline::pretrain::metrics {

std::optional<double> EnergyRate::look(std::span<const double> joules, std::int64_t tokens) {
  double sum = 0;
  for (const double node : joules) {
    if (node < 0) return std::nullopt;
    if (!std::isnan(node)) sum += node;
  }
  const double used = sum - joules_;
  const std::int64_t trained = tokens - tokens_;
  joules_ = sum;
  tokens_ = tokens;
  if (trained <= 0) return std::nullopt;
  return used / static_cast<double>(trained);
}

}  // namespace chainrule::pipeline::pretrain::metrics
