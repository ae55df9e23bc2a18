#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/infer/score/text_score.h"

namespace chainrule::pipeline::infer::score {

/// How many colours a terminal shows.
enum class TerminalColours { none, palette_256, true_colour };

/// The text with each token on the colour of its surprise, a legend, and the totals.
std::string render_heat_map(const TextScore& score, TerminalColours colours);

/// A line for each factor, then the totals.
std::string render_table(const TextScore& score);

/// Log-likelihood, cross-entropy, perplexity and bits per byte, a line each.
std::string render_totals(const TextScore& score);

/// The object that docs/probabilities.md describes.
nlohmann::ordered_json to_json(const TextScore& score, const models::LoadedModel& model);

/// A page that needs nothing but itself: totals, the text as a heat map whose tokens tell their numbers, a table.
std::string render_page(const TextScore& score, const models::LoadedModel& model);

}  // namespace chainrule::pipeline::infer::score
