#include "pipeline/evaluate/page/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace chainrule::pipeline::evaluate::page {
namespace {

constexpr double kWidth = 320;
constexpr double kHeight = 170;
constexpr double kLeft = 30;
constexpr double kRight = 8;
constexpr double kTop = 8;
constexpr double kBottom = 22;

std::string begin_svg() { return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img">)", kWidth, kHeight); }

/// 1, 2 or 5 times a power of ten, so that four steps or so reach `most`.
double step_for(double most) {
  const double power = std::pow(10, std::floor(std::log10(most / 4)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (most / (factor * power) <= 5) return factor * power;
  }
  return 10 * power;
}

std::string short_number(std::uint64_t value) {
  if (value < 10'000) return fmt::format("{}", value);
  const double thousands = static_cast<double>(value) / 1000;
  return thousands < 1000 ? fmt::format("{:.0f}k", thousands) : fmt::format("{:.0f}M", thousands / 1000);
}

void horizontal_line(double y, const std::string& label, std::string& svg) {
  fmt::format_to(
      std::back_inserter(svg),
      R"(<line class="axis" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
      kLeft, kWidth - kRight, y, y, kLeft - 5, y + 3.5, label);
}

}  // namespace

std::string band_chart(const std::vector<report::BandSummary>& bands) {
  double most = 0;
  for (const report::BandSummary& band : bands) most = std::max(most, band.cross_entropy_nats.value_or(0));
  if (most == 0) return "<p class=\"note\">Nothing with a finite result.</p>";
  const double step = step_for(most);
  const double top = std::ceil(most / step) * step;
  const auto y_of = [&](double value) { return kTop + (kHeight - kTop - kBottom) * (1 - value / top); };
  std::string svg = begin_svg();
  for (double value = 0; value <= top * 1.0001; value += step)
    horizontal_line(y_of(value), fmt::format("{:g}", value), svg);
  const double width = (kWidth - kLeft - kRight) / static_cast<double>(bands.size());
  const auto every = static_cast<std::size_t>(std::ceil(30 / width));  // labels that do not touch
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const report::BandSummary& band = bands[i];
    const double x = kLeft + width * static_cast<double>(i);
    if (band.cross_entropy_nats) {
      const double y = y_of(*band.cross_entropy_nats);
      fmt::format_to(
          std::back_inserter(svg),
          R"(<rect class="b" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"><title>{} to {}: {:.4f} nats, {} tokens</title></rect>)",
          x + width * 0.1, y, width * 0.8, kHeight - kBottom - y, band.from, band.to, *band.cross_entropy_nats,
          band.tokens_scored);
    }
    if (i % every != 0) continue;
    fmt::format_to(std::back_inserter(svg), R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x + width / 2,
                   kHeight - 7, short_number(band.from));
  }
  return svg + "</svg>";
}

std::string calibration_chart(const std::vector<report::CalibrationBin>& bins) {
  std::uint64_t most = 0;
  for (const report::CalibrationBin& bin : bins) most = std::max(most, bin.tokens);
  if (most == 0) return "<p class=\"note\">Nothing with a finite result.</p>";
  const auto x_of = [&](double value) { return kLeft + (kWidth - kLeft - kRight) * value; };
  const auto y_of = [&](double value) { return kTop + (kHeight - kTop - kBottom) * (1 - value); };
  std::string svg = begin_svg();
  for (const double value : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    horizontal_line(y_of(value), fmt::format("{:g}", value), svg);
    fmt::format_to(std::back_inserter(svg), R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>)",
                   std::min(x_of(value), kWidth - 12), kHeight - 7, value);
  }
  fmt::format_to(std::back_inserter(svg), R"(<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)",
                 x_of(0), y_of(0), x_of(1), y_of(1));
  for (const report::CalibrationBin& bin : bins) {
    if (!bin.expected || !bin.observed) continue;
    const double radius = 1.5 + 5 * std::sqrt(static_cast<double>(bin.tokens) / static_cast<double>(most));
    fmt::format_to(
        std::back_inserter(svg),
        R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>expected {:.3f}, observed {:.3f}, {} tokens</title></circle>)",
        x_of(*bin.expected), y_of(*bin.observed), radius, *bin.expected, *bin.observed, bin.tokens);
  }
  return svg + "</svg>";
}

std::string shares_chart(std::uint64_t better, std::uint64_t same, std::uint64_t worse) {
  constexpr double kBar = 6;
  const auto all = static_cast<double>(better + same + worse);
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img">)", kWidth, kBar);
  double x = 0;
  for (const auto& [kind, count] : {std::pair("good", better), std::pair("even", same), std::pair("bad", worse)}) {
    if (count == 0) continue;
    const double width = kWidth * static_cast<double>(count) / all;
    fmt::format_to(std::back_inserter(svg),
                   R"(<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="{}"><title>{} documents</title></rect>)",
                   kind, x, width, kBar, count);
    x += width;
  }
  return svg + "</svg>";
}

}  // namespace chainrule::pipeline::evaluate::page
