#include "model/shape/parameters.h"

#include <fmt/format.h>

#include "model/error.h"
#include "model/round_up.h"

namespace chainrule::model::shape {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: a cache line of float32

const Config& validated(const Config& config) {
  validate(config);
  return config;
}

}  // namespace

ParameterTable::ParameterTable(const Config& config) : description_(describe(validated(config))) {
  if (!config.tied_head) head_ = add(*description_.head.weight);
  ending_ = add(description_.ending, "");
  layers_.resize(static_cast<std::size_t>(config.layers));
  for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
    layers_[static_cast<std::size_t>(layer)] = add(description_.layer, fmt::format("layers.{}.", layer));
  }
  if (description_.position_embedding) position_embedding_ = add(*description_.position_embedding);
  token_embedding_ = add(description_.token_embedding);
  if (config.tied_head) head_ = token_embedding_;
}

ParameterRange ParameterTable::add(Parameter parameter) {
  parameter.offset = arena_size_;
  arena_size_ = round_up(arena_size_ + parameter.size(), kAlignment);
  parameters_.push_back(std::move(parameter));
  return {parameters_.back().offset, arena_size_};
}

ParameterRange ParameterTable::add(const Block& block, std::string_view prefix) {
  const std::int64_t begin = arena_size_;
  for (Parameter parameter : block.parameters()) {
    parameter.name.insert(0, prefix);
    add(std::move(parameter));
  }
  return {begin, arena_size_};
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

}  // namespace chainrule::model::shape
