#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "pipeline/infer/score/render.h"
#include "pipeline/show/heat.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/percent.h"

namespace chainrule::pipeline::infer::score {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

/// Black letters on a colour.
std::string on(show::Colour colour, TerminalColours colours) {
  if (colours == TerminalColours::true_colour) {
    return fmt::format("\x1b[38;2;0;0;0;48;2;{};{};{}m", colour.red, colour.green, colour.blue);
  }
  const auto step = [](std::uint8_t value) { return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40; };
  return fmt::format("\x1b[38;5;16;48;5;{}m", 16 + 36 * step(colour.red) + 6 * step(colour.green) + step(colour.blue));
}

std::string padded(const std::string& text, std::size_t columns) {
  const std::size_t taken = show::columns_of(text);
  return taken < columns ? text + std::string(columns - taken, ' ') : text;
}

/// A token in a column of its own.
std::string name_of(std::string_view bytes) { return show::legible_beginning(bytes, 24); }

}  // namespace

std::string render_heat_map(const TextScore& score, TerminalColours colours) {
  std::string text;
  for (const TokenScore& token : score.tokens) {
    const show::Colour colour = show::heat_colour(show::HeatRamp::terminal, show::heat_level(token.factor.nll_nats));
    text += on(colour, colours);
    // Colour ends before a line does, else a terminal may fill the rest of the line with it.
    for (std::size_t at = 0; at < token.bytes.size();) {
      const std::size_t feed = token.bytes.find('\n', at);
      text += show::legible(std::string_view(token.bytes).substr(at, feed == std::string::npos ? feed : feed + 1 - at),
                            show::Spaces::kept);
      if (feed == std::string::npos) break;
      at = feed + 1;
      text += fmt::format("{}\n{}", kReset, at < token.bytes.size() ? on(colour, colours) : "");
    }
    text += kReset;
  }
  if (!text.ends_with(fmt::format("\n{}", kReset))) text += '\n';
  text += "\nsurprise in bits: 0 ";
  for (int level = 0; level < show::kHeatLevels; ++level) {
    text += on(show::heat_colour(show::HeatRamp::terminal, level), colours) + " ";
  }
  return text + fmt::format("{} {} and more\n\n", kReset, show::kHeatLevels - 1) + render_totals(score);
}

std::string render_table(const TextScore& score) {
  std::size_t width = 5;
  for (const TokenScore& token : score.tokens) width = std::max(width, show::columns_of(name_of(token.bytes)));
  std::string text = fmt::format("{:>6}  {}  {:>11}  {:>8}  {:>7}  {:>6}  {:>14}  {}\n", "", padded("token", width),
                                 "probability", "nats", "bits", "rank", "log p so far", "likeliest instead");
  for (std::size_t i = 0; i < score.tokens.size(); ++i) {
    const TokenScore& token = score.tokens[i];
    const model::sampling::Factor& factor = token.factor;
    if (!std::isfinite(factor.nll_nats)) {
      text += fmt::format("{:>6}  {}  {:>11}\n", i + 1, padded(name_of(token.bytes), width), "not finite");
      continue;
    }
    const std::string likeliest = show::percent(std::exp(-factor.likeliest_nll_nats));
    const std::string instead =
        factor.rank == 1 ? "" : fmt::format("{:>9}  {}", likeliest, name_of(token.likeliest_bytes));
    text += fmt::format("{:>6}  {}  {:>11}  {:>8.4f}  {:>7.3f}  {:>6}  {:>14.4f}  {}", i + 1,
                        padded(name_of(token.bytes), width), show::percent(std::exp(-factor.nll_nats)), factor.nll_nats,
                        factor.nll_nats / std::numbers::ln2, factor.rank, token.log_probability_so_far_nats, instead);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text + "\n" + render_totals(score);
}

std::string render_totals(const TextScore& score) {
  std::string text = fmt::format("tokens          {} (a text of {} bytes)\n", score.tokens.size(), score.text_bytes);
  if (score.windows > 1) {
    text += fmt::format("windows         {} of up to {} tokens: the text is longer than the model's context\n",
                        score.windows, score.context_length);
  }
  if (score.nonfinite_tokens > 0) {
    return text + fmt::format("not finite      {} factors: the model gives no probability to this text\n",
                              score.nonfinite_tokens);
  }
  return text + fmt::format(
                    "log-likelihood  {:.4f} nats, the sum of log p\n"
                    "cross-entropy   {:.4f} nats a token ({:.4f} bits)\n"
                    "perplexity      {:.4f}\n"
                    "bits per byte   {:.4f}\n",
                    score.log_likelihood_nats, score.cross_entropy_nats, score.cross_entropy_nats / std::numbers::ln2,
                    score.perplexity, score.bits_per_byte);
}

}  // namespace chainrule::pipeline::infer::score
