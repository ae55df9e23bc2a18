#pragma once
#include <string>

namespace chainrule::pipeline::show {

/// A probability as a person reads it: "12.34 %", "0.0012 %", "3.1e-09 %".
std::string percent(double probability);

}  // namespace chainrule::pipeline::show
