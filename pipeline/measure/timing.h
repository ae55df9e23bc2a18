#pragma once
#include <algorithm>
#include <chrono>
#include <vector>

namespace chainrule::pipeline::measure {

/// Seconds that work takes.
template <typename Work>
double seconds_of(Work&& work) {
  const auto started = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// Of at least one value; the upper one of the middle two.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace chainrule::pipeline::measure
