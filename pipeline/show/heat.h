#pragma once
#include <cstdint>
#include <string>

namespace chainrule::pipeline::show {

/// Surprise as colour: one level a bit, the last for all that is more.
inline constexpr int kHeatLevels = 16;

/// 0 ... kHeatLevels - 1; the last for what is not finite.
int heat_level(double nll_nats);

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

enum class HeatRamp {
  page_light,  ///< fades into a white page where nothing surprises
  page_dark,   ///< fades into a dark page
  terminal,    ///< for black letters, on any terminal
};

Colour heat_colour(HeatRamp ramp, int level);

/// Whether black letters are easier to read on it than white ones.
bool wants_black_text(Colour background);

/// "#rrggbb"
std::string to_css(Colour colour);

}  // namespace chainrule::pipeline::show
