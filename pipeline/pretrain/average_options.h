#pragma once
#include <string>

namespace chainrule::pipeline::pretrain {

/// DECAY of "ema:DECAY", as --average asks for an exponential moving average of the weights. Throws Error (usage)
/// unless it is above 0 and below 1.
double parse_average(const std::string& text);

/// What parse_average() reads as this: equal for equal averages.
std::string average_rule(double decay);

}  // namespace chainrule::pipeline::pretrain
