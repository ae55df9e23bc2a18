#pragma once
#include <cstdint>

namespace chainrule::model {

/// The least multiple of `multiple` that is not below a value of at least 0.
constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace chainrule::model
