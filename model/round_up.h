#pragma once
#include <concepts>
#include <type_traits>

namespace chainrule::model {

/// Parts of size `part` (above 0) that hold a value of at least 0: the quotient, rounded up.
template <std::integral Integer>
constexpr Integer divide_up(Integer value, std::type_identity_t<Integer> part) {
  return (value + part - 1) / part;
}

/// The least multiple of `multiple` (above 0) that is not below a value of at least 0.
template <std::integral Integer>
constexpr Integer round_up(Integer value, std::type_identity_t<Integer> multiple) {
  return divide_up(value, multiple) * multiple;
}

}  // namespace chainrule::model
