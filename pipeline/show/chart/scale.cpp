#include "pipeline/show/chart/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chainrule::pipeline::show::chart {
namespace {

constexpr int kMostTicks = 6;
constexpr int kMostMultiples = 100;

/// 1, 2 or 5 times a power of ten, of which at most so many and one fit into range.
double step_within(double range, int most) {
  const double power = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= most) return factor * power;
  }
  return 10 * power;
}

/// Multiples of step from low to high.
std::vector<Tick> multiples(double low, double high, double step) {
  std::vector<Tick> ticks;
  const double slack = step * 1e-6;
  const double first = std::ceil((low - slack) / step);
  for (int i = 0; i < kMostMultiples; ++i) {  // where a double's digits end, n may not come on
    const double n = first + i;
    if (!(n * step <= high + slack)) break;
    ticks.push_back({n * step, axis_number(n == 0 ? 0 : n * step)});
  }
  return ticks;
}

/// The factors' multiples of powers of ten from low to high.
std::vector<Tick> of_decades(double low, double high, std::initializer_list<double> factors) {
  std::vector<Tick> ticks;
  const int last = std::numeric_limits<double>::max_exponent10;
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= last; ++exponent) {
    const double power = std::pow(10, exponent);  // 0 below the least number
    if (power > high) break;
    for (const double factor : factors) {
      const double value = factor * power;
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push_back({value, axis_number(value)});
    }
  }
  return ticks;
}

/// Ranges that no axis can be made of.
void widen(double& least, double& most) {
  if (!std::isfinite(least) || !std::isfinite(most)) least = 0, most = 1;
  if (most - least > 1e-12 * std::max(std::abs(least), std::abs(most))) return;
  const double reach = most == 0 ? 1 : std::abs(most) / 10;
  least -= reach;
  most += reach;
}

}  // namespace

std::string axis_number(double value) {
  const double size = std::abs(value);
  if (size >= 1e12) return fmt::format("{:g}", value);
  for (const auto& [unit, name] : {std::pair(1e9, "G"), std::pair(1e6, "M"), std::pair(1e3, "k")}) {
    if (size >= unit) return fmt::format("{:.4g}{}", value / unit, name);
  }
  return fmt::format("{:.4g}", value);
}

Scale Scale::linear(double least, double most) {
  widen(least, most);
  const double step = step_within(most - least, kMostTicks - 1);
  Scale scale(std::floor(least / step + 1e-9) * step, std::ceil(most / step - 1e-9) * step, false);
  scale.ticks_ = multiples(scale.low_, scale.high_, step);
  return scale;
}

Scale Scale::logarithmic(double least, double most) {
  if (!(most > least * 1.0001)) least /= 1.5, most *= 1.5;
  Scale scale(least, most, true);
  // The fewest ticks that are enough to read values between them.
  scale.ticks_ = of_decades(least, most, {1});
  if (scale.ticks_.size() < 3) scale.ticks_ = of_decades(least, most, {1, 2, 5});
  if (scale.ticks_.size() < 3) scale.ticks_ = multiples(least, most, step_within(most - least, kMostTicks + 1));
  while (scale.ticks_.size() > 8) {
    std::vector<Tick> every_other;
    for (std::size_t i = 0; i < scale.ticks_.size(); i += 2) every_other.push_back(scale.ticks_[i]);
    scale.ticks_ = every_other;
  }
  return scale;
}

Scale Scale::counting(double least, double most) {
  least = std::floor(least);
  most = std::max(least + 1, std::ceil(most));
  Scale scale(least, most, false);
  scale.ticks_ = multiples(least, most, std::max(1.0, step_within(most - least, kMostTicks - 1)));
  return scale;
}

double Scale::place(double value) const {
  const double part = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return std::isfinite(part) ? std::clamp(part, 0.0, 1.0) : 0.0;
}

}  // namespace chainrule::pipeline::show::chart
