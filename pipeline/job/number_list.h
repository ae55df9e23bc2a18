#pragma once
#include <span>
#include <string>
#include <string_view>

namespace chainrule::pipeline::job {

/// Ascending numbers as a list of ranges: 0, 1, 2, 8 -> "0-2,8".
std::string number_list(std::span<const int> numbers);

/// What is in one of two such lists or in both. A list that is none is taken for an empty one.
std::string number_list_of_both(std::string_view a, std::string_view b);

}  // namespace chainrule::pipeline::job
