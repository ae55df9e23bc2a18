#include "tests/support/values.h"

#include <cmath>
#include <random>

namespace chainrule::tests {

std::vector<float> normal_values(std::uint64_t seed, std::int64_t count, double deviation) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(0.0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(normal(generator));
  return values;
}

std::vector<std::uint32_t> random_ids(std::uint64_t seed, std::int64_t count, std::int64_t bound) {
  std::mt19937_64 generator(seed);
  std::vector<std::uint32_t> ids(count);
  for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(generator() % static_cast<std::uint64_t>(bound));
  return ids;
}

std::vector<double> to_double(std::span<const float> values) { return {values.begin(), values.end()}; }

double relative_l2(std::span<const double> actual, std::span<const double> expected) {
  if (actual.size() != expected.size()) return INFINITY;
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return std::sqrt(size > 0 ? error / size : error);
}

double relative_l2(std::span<const float> actual, std::span<const double> expected) {
  return relative_l2(std::span<const double>(to_double(actual)), expected);
}

}  // namespace chainrule::tests
