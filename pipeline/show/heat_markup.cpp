#include "pipeline/show/heat_markup.h"

#include <fmt/format.h>

#include "pipeline/show/legible.h"
#include "pipeline/show/markup.h"

namespace chainrule::pipeline::show {

std::string heat_rules(HeatRamp ramp) {
  std::string rules;
  for (int level = 0; level < kHeatLevels; ++level) {
    const Colour colour = heat_colour(ramp, level);
    rules += fmt::format(".h{}{{background:{};color:{}}}", level, to_css(colour),
                         wants_black_text(colour) ? "#16181d" : "#f6f7f9");
  }
  return rules;
}

std::string heat_text(std::string_view bytes) {
  std::string markup;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t feed = bytes.find('\n', at);
    markup += escape_markup(legible(bytes.substr(at, feed == std::string_view::npos ? feed : feed - at), Spaces::kept));
    if (feed == std::string_view::npos) break;
    markup += "<u>⏎</u>\n";
    at = feed + 1;
  }
  return markup;
}

}  // namespace chainrule::pipeline::show
