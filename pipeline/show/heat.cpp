#include "pipeline/show/heat.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace chainrule::pipeline::show {
namespace {

struct Anchor {
  double level;
  Colour colour;
};

constexpr std::array<Anchor, 5> kLight = {
    {{0, {250, 251, 248}}, {3, {229, 243, 205}}, {6, {253, 229, 138}}, {10, {250, 160, 88}}, {15, {208, 48, 66}}}};
constexpr std::array<Anchor, 5> kDark = {
    {{0, {27, 30, 37}}, {3, {42, 58, 84}}, {6, {96, 62, 122}}, {10, {190, 72, 98}}, {15, {255, 168, 76}}}};
constexpr std::array<Anchor, 4> kTerminal = {
    {{0, {168, 216, 176}}, {5, {240, 228, 132}}, {10, {247, 164, 86}}, {15, {232, 90, 84}}}};

std::span<const Anchor> anchors_of(HeatRamp ramp) {
  switch (ramp) {
    case HeatRamp::page_light: return kLight;
    case HeatRamp::page_dark: return kDark;
    case HeatRamp::terminal: break;
  }
  return kTerminal;
}

std::uint8_t between(std::uint8_t a, std::uint8_t b, double share) {
  return static_cast<std::uint8_t>(std::lround(a + (b - a) * share));
}

}  // namespace

int heat_level(double nll_nats) {
  const double bits = nll_nats / std::numbers::ln2;
  if (!(bits < kHeatLevels - 1)) return kHeatLevels - 1;
  return bits > 0 ? static_cast<int>(bits) : 0;
}

Colour heat_colour(HeatRamp ramp, int level) {
  const std::span<const Anchor> anchors = anchors_of(ramp);
  std::size_t above = 1;
  while (above + 1 < anchors.size() && anchors[above].level < level) ++above;
  const Anchor& low = anchors[above - 1];
  const Anchor& high = anchors[above];
  const double share = (level - low.level) / (high.level - low.level);
  return {between(low.colour.red, high.colour.red, share), between(low.colour.green, high.colour.green, share),
          between(low.colour.blue, high.colour.blue, share)};
}

bool wants_black_text(Colour background) {
  return 0.299 * background.red + 0.587 * background.green + 0.114 * background.blue > 140;
}

std::string to_css(Colour colour) { return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue); }

}  // namespace chainrule::pipeline::show
