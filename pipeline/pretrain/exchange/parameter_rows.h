#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/arena_ranges.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Where the rows of a matrix lie in an arena.
class ParameterRows {
 public:
  /// A matrix [rows, width] from place.begin on; what place has behind it is padding.
  ParameterRows(model::shape::ParameterRange place, std::int64_t rows, std::int64_t width);
  /// A matrix of a table, with the padding behind it.
  ParameterRows(const model::shape::ParameterTable& table, const model::shape::Parameter& matrix);

  /// All of them.
  model::shape::ParameterRange all() const { return {place_.begin, place_.begin + rows_ * width_}; }
  model::shape::ParameterRange with_padding() const { return place_; }
  /// Those of these indices, which may come in any order and more than once; neighbours joined.
  ArenaRanges of(std::span<const std::uint32_t> indices) const;

 private:
  model::shape::ParameterRange place_;
  std::int64_t rows_;
  std::int64_t width_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
