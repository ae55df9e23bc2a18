#pragma once

namespace chainrule::pipeline::cli {

/// Whether standard output is a terminal (under a launcher it may look like one and be none).
bool at_terminal();
/// Whether standard output is a terminal that shows colours, and a person has not asked for none (no-color.org).
bool shows_colours();
/// Whether that terminal says that it shows 24-bit colours.
bool shows_true_colours();

}  // namespace chainrule::pipeline::cli
