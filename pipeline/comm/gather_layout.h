#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace chainrule::pipeline::comm {

/// How the parts of a gathered buffer lie side by side, in units of which MPI's `int` can count as many as there are:
/// bytes where it can, else the largest unit that every part is a whole number of.
struct GatherLayout {
  /// Throws std::length_error where no unit is large enough.
  explicit GatherLayout(std::span<const std::size_t> part_bytes);

  std::size_t unit_bytes = 1;
  std::vector<int> counts;   ///< of each part, in units
  std::vector<int> offsets;  ///< in units
};

}  // namespace chainrule::pipeline::comm
