#include "model/shape/initialise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

#include "model/error.h"
#include "model/split_mix.h"

namespace chainrule::model::shape {
namespace {

/// FNV-1a of a name, so that each parameter draws numbers of its own.
std::uint64_t name_key(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

/// Uniform in (0, 1].
double uniform(std::uint64_t bits) { return (static_cast<double>(bits >> 11U) + 1.0) * 0x1p-53; }

/// Standard normal numbers 2 pair and 2 pair + 1 of a key (Box, Muller 1958).
std::array<double, 2> normals(std::uint64_t key, std::int64_t pair) {
  const auto counter = static_cast<std::uint64_t>(pair);
  const double radius = std::sqrt(-2.0 * std::log(uniform(split_mix(key ^ split_mix(2 * counter)))));
  const double angle = 2.0 * std::numbers::pi * uniform(split_mix(key ^ split_mix(2 * counter + 1)));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

double deviation_of(Initial initial, std::int64_t layers) {
  constexpr double kDeviation = 0.02;
  return initial == Initial::normal_into_stream ? kDeviation / std::sqrt(2.0 * static_cast<double>(layers))
                                                : kDeviation;
}

void draw_normal(std::uint64_t key, double deviation, std::span<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < size; i += 2) {
    const std::array<double, 2> pair = normals(key, i / 2);
    const auto at = static_cast<std::size_t>(i);
    values[at] = static_cast<float>(deviation * pair[0]);
    if (i + 1 < size) values[at + 1] = static_cast<float>(deviation * pair[1]);
  }
}

}  // namespace

void initialise(const Config& config, const ParameterTable& table, std::uint64_t seed, std::span<float> arena) {
  if (static_cast<std::int64_t>(arena.size()) != table.arena_size()) {
    throw Error(fmt::format("an arena of {} elements cannot hold the model's {}", arena.size(), table.arena_size()));
  }
  for (const Parameter& parameter : table.parameters()) {
    const std::span<float> values =
        arena.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.size()));
    switch (parameter.initial) {
      case Initial::zero: std::fill(values.begin(), values.end(), 0.0F); break;
      case Initial::one: std::fill(values.begin(), values.end(), 1.0F); break;
      case Initial::normal:
      case Initial::normal_into_stream:
        draw_normal(split_mix(seed ^ name_key(parameter.name)), deviation_of(parameter.initial, config.layers), values);
        break;
    }
  }
}

}  // namespace chainrule::model::shape
