#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "pipeline/infer/next/next_token.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/markup.h"
#include "pipeline/show/percent.h"

namespace chainrule::pipeline::infer::next {
namespace {

constexpr double kBarColumns = 40;
constexpr std::size_t kNameColumns = 24;

/// share [0, 1] of kBarColumns in eighths of a column.
std::string bar(double share) {
  constexpr std::array<std::string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(share * kBarColumns * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text.append(kParts[eighths % 8]);
}

/// The end of a context, on one line.
std::string tail_of(const std::string& context, std::size_t columns) {
  return context.empty() ? "end-of-text" : "“" + show::legible_end(context, columns, show::Spaces::kept) + "”";
}

std::string others(const NextToken& next) {
  return fmt::format("{} others", next.vocabulary_size - static_cast<std::int64_t>(next.likeliest.size()));
}

bool has_others(const NextToken& next) {
  return static_cast<std::int64_t>(next.likeliest.size()) < next.vocabulary_size;
}

std::string entropy(const NextToken& next) {
  return fmt::format("entropy {:.3f} bits ({:.3f} nats){}", next.entropy_nats / std::numbers::ln2, next.entropy_nats,
                     next.temperature != 1 ? fmt::format(" at temperature {}", next.temperature) : "");
}

}  // namespace

std::string render_bars(const NextToken& next) {
  std::size_t width = show::columns_of(others(next));
  for (const Candidate& candidate : next.likeliest)
    width = std::max(width, show::columns_of(show::legible_beginning(candidate.bytes, kNameColumns)));
  const auto line = [&](const std::string& rank, const std::string& name, double probability, bool drawn) {
    std::string whole =
        fmt::format("{:>5}  {}{}  {:>10}  {}", rank, name, std::string(width - show::columns_of(name), ' '),
                    show::percent(probability), drawn ? bar(probability / next.likeliest.front().probability) : "");
    whole.erase(whole.find_last_not_of(' ') + 1);
    return whole + "\n";
  };
  std::string text = fmt::format("p(next token | {})\n\n", tail_of(next.context, 60));
  for (std::size_t i = 0; i < next.likeliest.size(); ++i) {
    text += line(fmt::format("{}", i + 1), show::legible_beginning(next.likeliest[i].bytes, kNameColumns),
                 next.likeliest[i].probability, true);
  }
  if (has_others(next)) text += line("", others(next), std::max(0.0, next.rest_probability()), false);
  return text + fmt::format("\n{}\n", entropy(next));
}

std::string render_svg(const NextToken& next) {
  constexpr int kWidth = 720;
  constexpr int kTop = 84;
  constexpr int kRow = 26;
  constexpr int kLabel = 190;  // where bars begin
  constexpr int kBar = 410;    // the longest bar
  const int rows = static_cast<int>(next.likeliest.size()) + (has_others(next) ? 1 : 0);
  const int height = kTop + rows * kRow + 44;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\">\n"
      "<title>Probability of each next token</title>\n<style>\n"
      "text {{ font: 14px system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #1d2129; }}\n"
      ".page {{ fill: #ffffff; }} .bar {{ fill: #3b6fb6; }} .soft {{ fill: #667080; }}\n"
      ".token {{ font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; text-anchor: end; }}\n"
      ".head {{ font-size: 17px; font-weight: 600; }}\n"
      "@media (prefers-color-scheme: dark) {{ text {{ fill: #e7e9ee; }} .page {{ fill: #14161b; }} "
      ".bar {{ fill: #6ea2e8; }} .soft {{ fill: #98a2b3; }} }}\n</style>\n"
      "<rect class=\"page\" width=\"{0}\" height=\"{1}\"/>\n"
      "<text class=\"head\" x=\"24\" y=\"36\">What comes next?</text>\n"
      "<text class=\"soft\" x=\"24\" y=\"60\">after {2}</text>\n",
      kWidth, height, show::escape_markup(tail_of(next.context, 80)));
  const auto text = [&](const char* kind, double x, int row, const std::string& content) {
    svg += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{}\" xml:space=\"preserve\">{}</text>", kind, x,
                       kTop + row * kRow + 14, show::escape_markup(content));
  };
  for (std::size_t i = 0; i < next.likeliest.size(); ++i) {
    const Candidate& candidate = next.likeliest[i];
    const int row = static_cast<int>(i);
    const double length = std::max(1.5, kBar * candidate.probability / next.likeliest.front().probability);
    text("token", kLabel - 12, row, show::legible_beginning(candidate.bytes, 19));
    svg += fmt::format("<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"18\" rx=\"2\"/>", kLabel,
                       kTop + row * kRow, length);
    text("", kLabel + length + 9, row, show::percent(candidate.probability));
    svg += '\n';
  }
  if (has_others(next)) {  // no bar: it would dwarf the ones that are compared
    text("token soft", kLabel - 12, rows - 1, others(next));
    text("soft", kLabel, rows - 1, show::percent(std::max(0.0, next.rest_probability())));
    svg += '\n';
  }
  return svg + fmt::format("<text class=\"soft\" x=\"24\" y=\"{}\">{}</text>\n</svg>\n", height - 18, entropy(next));
}

}  // namespace chainrule::pipeline::infer::next
