#pragma once
#include <string_view>

namespace chainrule::pipeline::cli {

/// Whether standard output is a terminal that shows colours, and a person has not asked for none (no-color.org).
bool shows_colours();
/// Whether that terminal says that it shows 24-bit colours.
bool shows_true_colours();

/// Writes all of text to standard output at once. Throws io::Error input_output.
void print(std::string_view text);

}  // namespace chainrule::pipeline::cli
