#include "pipeline/evaluate/report/render_protocols.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/files/versioned_json.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

using Row = std::vector<std::string>;

std::string number_text(const std::optional<double>& value) {
  if (!value) return "-";
  return *value < 1e7 ? fmt::format("{:.4f}", *value) : fmt::format("{:.3e}", *value);
}

std::string dropped_text(const ProtocolResult& result) {
  std::vector<std::string> said;
  for (const auto& each : result.dropped) said.push_back(fmt::format("{} {}", show::grouped(each.tokens), each.why));
  return said.empty() ? "none" : fmt::format("{}", fmt::join(said, "; "));
}

std::string context_text(const ProtocolResult& result) {
  return fmt::format("{} to {}, median {}, mean {}", result.context_minimum, result.context_maximum,
                     result.context_median, result.context_mean ? fmt::format("{:.1f}", *result.context_mean) : "-");
}

std::uint64_t dropped_tokens(const ProtocolResult& result) {
  std::uint64_t tokens = 0;
  for (const auto& each : result.dropped) tokens += each.tokens;
  return tokens;
}

void add_rows(const ProtocolLine& line, std::vector<Row>& rows) {
  std::string name(line.windows.protocol->name);
  if (!line.why_not.empty()) rows.push_back({name, "-", "-", "", "", "", "", "", ""});
  for (const auto& number : line.result.numbers) {
    const bool is_first = &number == line.result.numbers.data();
    const auto once = [&](std::string text) { return is_first ? std::move(text) : std::string(); };
    rows.push_back({once(name), number.name, number_text(number.perplexity),
                    number.perplexity_error ? number_text(number.perplexity_error) : "",
                    once(std::string(show::grouped(line.tokens_scored))),
                    once(std::string(show::grouped(dropped_tokens(line.result)))), once(context_text(line.result)),
                    once(line.result.prefix_token ? fmt::format("{} ({})", line.prefix, *line.result.prefix_token)
                                                  : std::string("none")),
                    number.normaliser});
  }
}

/// Columns as wide as their widest field.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_number = i >= 2 && i <= 5;
      line += is_number ? fmt::format("{:>{}}  ", row[i], widths[i]) : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace

nlohmann::ordered_json render_protocols_json(std::span<const ProtocolLine> lines) {
  nlohmann::ordered_json json = io::files::begin_json({"chainrule evaluation by protocols", 1});
  json["protocols"] = nlohmann::ordered_json::object();
  for (const ProtocolLine& line : lines) {
    nlohmann::ordered_json& each = json["protocols"][std::string(line.windows.protocol->name)];
    each["context_length"] = line.windows.context_length;
    each["stride"] = line.windows.stride;
    each["left_out"] = line.why_not.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(line.why_not);
    if (!line.why_not.empty()) continue;
    each["tokens_scored"] = line.tokens_scored;
    each["prefix"] = line.prefix;
    const nlohmann::ordered_json result = render_json(line.result);
    for (const auto& [name, value] : result.items()) each[name] = value;
  }
  return json;
}

std::string render_protocols_table(std::span<const ProtocolLine> lines) {
  std::vector<Row> rows = {
      {"protocol", "number", "value", "+/-", "scored", "dropped", "context of a token", "prefix", "nats divided by"}};
  for (const ProtocolLine& line : lines) add_rows(line, rows);
  std::string text = aligned(rows) + '\n';
  for (const ProtocolLine& line : lines) {
    const std::string_view name = line.windows.protocol->name;
    if (!line.why_not.empty()) {
      fmt::format_to(std::back_inserter(text), "{} is left out: {}\n", name, line.why_not);
      continue;
    }
    fmt::format_to(std::back_inserter(text), "{} (context length {}, stride {}): dropped: {}\n", name,
                   line.windows.context_length, line.windows.stride, dropped_text(line.result));
    if (!line.result.difference.empty()) {
      fmt::format_to(std::back_inserter(text), "  not as document: {}\n", line.result.difference);
    }
  }
  return text;
}

std::string render_protocol(const ProtocolResult& result) {
  std::string text;
  for (const auto& number : result.numbers) {
    fmt::format_to(std::back_inserter(text), "{} {}{}, by {}\n", number.name, number_text(number.perplexity),
                   number.perplexity_error ? fmt::format(" +/- {}", number_text(number.perplexity_error)) : "",
                   number.normaliser);
  }
  fmt::format_to(std::back_inserter(text), "tokens not scored: {}; context of a token: {}\n", dropped_text(result),
                 context_text(result));
  if (!result.difference.empty()) fmt::format_to(std::back_inserter(text), "not as document: {}\n", result.difference);
  return text;
}

}  // namespace chainrule::pipeline::evaluate::report
