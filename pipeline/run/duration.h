#pragma once
#include <string_view>

namespace chainrule::pipeline::run {

/// Seconds of a time limit as batch systems spell it: MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS,
/// DAYS-HOURS:MINUTES or DAYS-HOURS:MINUTES:SECONDS. Throws std::invalid_argument for anything else, and for no time.
double parse_duration(std::string_view text);

}  // namespace chainrule::pipeline::run
