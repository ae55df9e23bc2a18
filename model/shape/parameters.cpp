#include "model/shape/parameters.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "model/error.h"
#include "model/round_up.h"
#include "model/split_mix.h"

namespace chainrule::model::shape {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: a cache line of float32

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

bool ends_with(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending;
}

}  // namespace

std::int64_t Parameter::size() const {
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape) elements *= extent;
  return elements;
}

ParameterTable::ParameterTable(const Config& config) {
  validate(config);
  const auto add = [this](std::string name, std::vector<std::int64_t> shape) {
    Parameter parameter;
    parameter.name = std::move(name);
    parameter.decay = shape.size() > 1;
    parameter.shape = std::move(shape);
    parameter.offset = arena_size_;
    arena_size_ = round_up(arena_size_ + parameter.size(), kAlignment);
    parameters_.push_back(std::move(parameter));
  };
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {config.width});
    add(name + ".bias", {config.width});
  };
  add_norm("final_norm");
  for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
    const std::string prefix = fmt::format("layers.{}.", layer);
    add_linear(prefix + "feed_forward.down", config.width, config.feed_forward_width);
    add_linear(prefix + "feed_forward.up", config.feed_forward_width, config.width);
    add_norm(prefix + "feed_forward_norm");
    add_linear(prefix + "attention.output", config.width, config.width);
    add_linear(prefix + "attention.query_key_value", 3 * config.width, config.width);
    add_norm(prefix + "attention_norm");
  }
  add("position_embedding.weight", {config.sequence_length, config.width});
  add("token_embedding.weight", {config.vocabulary_size, config.width});
}

const Parameter& ParameterTable::find(std::string_view name) const {
  for (const auto& parameter : parameters_) {
    if (parameter.name == name) return parameter;
  }
  throw Error(fmt::format("the model has no parameter '{}'", name));
}

std::vector<ParameterRange> ParameterTable::decay_ranges() const {
  std::vector<ParameterRange> ranges;
  for (const auto& parameter : parameters_) {
    if (parameter.decay) ranges.push_back(parameter.range());
  }
  return ranges;
}

void initialise(const Config& config, const ParameterTable& table, std::uint64_t seed, std::span<float> arena) {
  if (static_cast<std::int64_t>(arena.size()) != table.arena_size()) {
    throw Error(fmt::format("an arena of {} elements cannot hold the model's {}", arena.size(), table.arena_size()));
  }
  const double residual_deviation = 0.02 / std::sqrt(2.0 * static_cast<double>(config.layers));
  for (const auto& parameter : table.parameters()) {
    float* values = arena.data() + parameter.offset;
    const std::int64_t size = parameter.size();
    if (!parameter.decay) {
      const float value = ends_with(parameter.name, "norm.weight") ? 1.0F : 0.0F;
      for (std::int64_t i = 0; i < size; ++i) values[i] = value;
      continue;
    }
    const bool writes_into_residual =
        ends_with(parameter.name, "attention.output.weight") || ends_with(parameter.name, "feed_forward.down.weight");
    const double deviation = writes_into_residual ? residual_deviation : 0.02;
    const std::uint64_t key = split_mix(seed ^ name_key(parameter.name));
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < size; i += 2) {
      const std::array<double, 2> pair = normals(key, i / 2);
      values[i] = static_cast<float>(deviation * pair[0]);
      if (i + 1 < size) values[i + 1] = static_cast<float>(deviation * pair[1]);
    }
  }
}

}  // namespace chainrule::model::shape
