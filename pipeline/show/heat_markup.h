#pragma once
#include <string>
#include <string_view>

#include "pipeline/show/heat.h"

namespace chainrule::pipeline::show {

/// The style rules .h0 ... of a ramp's levels.
std::string heat_rules(HeatRamp ramp);

/// A token's bytes in a heat map: line feeds are shown and obeyed, everything else as legible() gives it.
std::string heat_text(std::string_view bytes);

}  // namespace chainrule::pipeline::show
