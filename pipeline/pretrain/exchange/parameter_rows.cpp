#include "pipeline/pretrain/exchange/parameter_rows.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

/// Up to the next parameter, or to the arena's end.
model::shape::ParameterRange place_of(const model::shape::ParameterTable& table,
                                      const model::shape::Parameter& matrix) {
  std::int64_t end = table.arena_size();
  for (const auto& other : table.parameters()) {
    if (other.offset > matrix.offset) end = std::min(end, other.offset);
  }
  return {matrix.offset, end};
}

}  // namespace

ParameterRows::ParameterRows(model::shape::ParameterRange place, std::int64_t rows, std::int64_t width)
    : place_(place), rows_(rows), width_(width) {}

ParameterRows::ParameterRows(const model::shape::ParameterTable& table, const model::shape::Parameter& matrix)
    : ParameterRows(place_of(table, matrix), matrix.shape.at(0), matrix.shape.at(1)) {}

ArenaRanges ParameterRows::of(std::span<const std::uint32_t> indices) const {
  std::vector<bool> wanted(static_cast<std::size_t>(rows_));
  for (const std::uint32_t index : indices) wanted[index] = true;
  ArenaRanges ranges;
  for (std::int64_t row = 0; row < rows_; ++row) {
    if (!wanted[static_cast<std::size_t>(row)]) continue;
    const std::int64_t begin = place_.begin + row * width_;
    if (!ranges.empty() && ranges.back().end == begin) {
      ranges.back().end += width_;
    } else {
      ranges.push_back({begin, begin + width_});
    }
  }
  return ranges;
}

}  // namespace chainrule::pipeline::pretrain::exchange
