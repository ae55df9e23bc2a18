#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/watch/curves/run_history.h"

namespace chainrule::pipeline::watch::curves {

/// A chart of the page.
struct RunChart {
  std::string title;
  std::string svg;
};

/// Loss, validation, one of each source, learning rate, gradient norm, tokens/s, and what else the runs tell; over
/// steps, or over the tokens that each run had trained on where these differ at the same steps. names: of the runs.
std::vector<RunChart> charts_of(const std::vector<RunHistory>& runs, const std::vector<std::string>& names);

/// Whether the runs had trained on different numbers of tokens at the same steps.
bool over_tokens(const std::vector<RunHistory>& runs);

/// A name from a file: valid UTF-8 without control characters, and not longer than a line.
std::string short_text(const std::string& text);

}  // namespace chainrule::pipeline::watch::curves
