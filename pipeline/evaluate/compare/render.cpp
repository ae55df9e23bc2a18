#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "pipeline/evaluate/compare/compare_reports.h"
#include "pipeline/evaluate/compare/significance.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate::compare {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const tally::RatioOfSums& ratio) {
  Json json = {{"difference", number(ratio.ratio())}, {"standard_error", number(ratio.standard_error())}};
  if (ratio.standard_error()) {
    const double reach = tally::kErrorsOf95Percent * *ratio.standard_error();
    json["low"] = *ratio.ratio() - reach;
    json["high"] = *ratio.ratio() + reach;
    json["p_value"] = p_value(*ratio.ratio(), *ratio.standard_error());
  }
  return json;
}

Json to_json(const PairedDifference& difference, bool same_tokens) {
  Json json = {{"documents", difference.bits_per_byte.documents()},
               {"better", difference.better},
               {"worse", difference.worse},
               {"same", difference.same},
               {"bits_per_byte", to_json(difference.bits_per_byte)}};
  json["nats_per_token"] = same_tokens ? to_json(difference.nats_per_token) : Json(nullptr);
  return json;
}

Json to_json(const std::vector<MovedDocument>& documents) {
  Json json = Json::array();
  for (const MovedDocument& each : documents) {
    json.push_back({{"document", each.index},
                    {"domain", each.domain},
                    {"source", each.source},
                    {"line", each.line},
                    {"nats", each.nats},
                    {"bits_per_byte", each.bits_per_byte}});
  }
  return json;
}

Json describe(const std::filesystem::path& path, const report::EvaluationReport& report) {
  return {{"path", path.string()},
          {"protocol", report.subject.windows.protocol->name},
          {"weights_hash", report.subject.weights_hash},
          {"tokenizer_fingerprint", report.subject.tokenizer_fingerprint},
          {"bits_per_byte", number(report.overall.bits_per_byte)},
          {"cross_entropy_nats", number(report.overall.cross_entropy_nats)},
          {"perplexity", number(report.overall.perplexity)}};
}

std::string signed_text(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:+.{}f}", *value, digits) : std::string("-");
}

void append_line(const std::string& name, std::size_t width, const PairedDifference& difference, bool same_tokens,
                 std::string& text) {
  const tally::RatioOfSums& ratio = difference.bits_per_byte;
  const std::optional<double> error = ratio.standard_error();
  const auto documents = static_cast<double>(ratio.documents());
  fmt::format_to(
      std::back_inserter(text), "{:<{}}  {:>10}  {:>10}  {:>9}  {:>9}  {:>9}  {:>10}\n", name, width,
      show::grouped(ratio.documents()), signed_text(ratio.ratio(), 5), error ? fmt::format("{:.5f}", *error) : "-",
      error ? fmt::format("{:.2g}", p_value(*ratio.ratio(), *error)) : "-",
      documents == 0 ? "-" : fmt::format("{:.1f} %", 100 * static_cast<double>(difference.better) / documents),
      same_tokens ? signed_text(difference.nats_per_token.ratio(), 5) : std::string("-"));
}

void append_moved(const char* heading, const std::vector<MovedDocument>& documents, std::string& text) {
  if (documents.empty()) return;
  fmt::format_to(std::back_inserter(text), "\n{}:\n", heading);
  for (const MovedDocument& each : documents) {
    fmt::format_to(std::back_inserter(text), "  {:>+12.3f} nats  {:>+9.4f} bits/byte  document {} {}{}{}\n", each.nats,
                   each.bits_per_byte, each.index, each.source, each.line.empty() ? "" : ":", each.line);
  }
}

void append_comparison(const Comparisons& all, const Comparison& comparison, std::string& text) {
  std::size_t width = std::string_view("overall").size();
  for (const auto& [name, difference] : comparison.domains) width = std::max(width, name.size());
  fmt::format_to(std::back_inserter(text), "{} less {}{}\n\n", comparison.path.string(), all.path.string(),
                 comparison.same_tokens ? "" : " (other tokens: compared per byte)");
  fmt::format_to(std::back_inserter(text), "{:<{}}  {:>10}  {:>10}  {:>9}  {:>9}  {:>9}  {:>10}\n", "domain", width,
                 "documents", "bits/byte", "+/-", "p", "better", "nats/token");
  for (const auto& [name, difference] : comparison.domains) {
    append_line(name, width, difference, comparison.same_tokens, text);
  }
  append_line("overall", width, comparison.overall, comparison.same_tokens, text);
  append_moved("improved most", comparison.improved, text);
  append_moved("worsened most", comparison.worsened, text);
  text += '\n';
}

}  // namespace

Json to_json(const Comparisons& comparisons) {
  Json json = {{"first", describe(comparisons.path, comparisons.report)}};
  json["others"] = Json::array();
  for (const Comparison& each : comparisons.others) {
    Json other = describe(each.path, each.report);
    other["same_tokens"] = each.same_tokens;
    other["overall"] = to_json(each.overall, each.same_tokens);
    other["domains"] = Json::object();
    for (const auto& [name, difference] : each.domains) other["domains"][name] = to_json(difference, each.same_tokens);
    other["improved_most"] = to_json(each.improved);
    other["worsened_most"] = to_json(each.worsened);
    json["others"].push_back(other);
  }
  json["mean_bits_per_byte"] = number(comparisons.mean_bits_per_byte);
  json["corpus_standard_error"] = number(comparisons.corpus_error);
  json["training_standard_error"] = number(comparisons.training_error);
  return json;
}

std::string as_text(const Comparisons& comparisons) {
  std::string text;
  for (const Comparison& each : comparisons.others) append_comparison(comparisons, each, text);
  text +=
      "bits/byte: text bits of the other model less the first's, over bytes; below 0 is better; +/-: its standard "
      "error\nclustered by document; p: of no difference, two-sided; better: share of documents\n";
  if (comparisons.others.size() > 1 && comparisons.training_error && comparisons.corpus_error) {
    fmt::format_to(std::back_inserter(text),
                   "taken as one model trained {} times: {:.5f} bits/byte, +/- {:.5f} from training, +/- {:.5f} from "
                   "the corpus\n",
                   comparisons.others.size() + 1, *comparisons.mean_bits_per_byte, *comparisons.training_error,
                   *comparisons.corpus_error);
  }
  return text;
}

}  // namespace chainrule::pipeline::evaluate::compare
