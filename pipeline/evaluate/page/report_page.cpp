#include "pipeline/evaluate/page/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <kainjow/mustache.hpp>

#include "pipeline/evaluate/page/charts.h"
#include "pipeline/evaluate/page/page_template.h"
#include "pipeline/show/heat_markup.h"
#include "pipeline/show/markup.h"
#include "pipeline/show/numbers.h"
#include "pipeline/show/page/page_values.h"

namespace chainrule::pipeline::evaluate::page {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::list;
using show::page::facts_list;
using show::page::fill_in;
using show::page::fixed;
using show::page::object;
using show::page::perplexity_text;
using show::page::safe;
using show::page::total;

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f} %", 100 * *share) : std::string("-");
}

list totals_of(const report::EvaluationReport& report) {
  const report::EvaluationSummary& overall = report.overall;
  list totals;
  totals.push_back(total("cross-entropy", fixed(overall.cross_entropy_nats, 4),
                         overall.standard_error_nats
                             ? fmt::format("nats a token, +/- {:.4f}", *overall.standard_error_nats)
                             : std::string("nats a token")));
  totals.push_back(
      total("bits per byte", fixed(overall.bits_per_byte, 4), fmt::format("{} bytes", show::grouped(overall.bytes))));
  totals.push_back(total("tokens scored", show::grouped(overall.tokens_scored),
                         fmt::format("{} documents", show::grouped(overall.documents))));
  totals.push_back(total("word perplexity", perplexity_text(overall.word_perplexity),
                         fmt::format("{} words", show::grouped(overall.words))));
  totals.push_back(total("likeliest token right", percent(overall.top1_accuracy),
                         fmt::format("{} among five", percent(overall.top5_accuracy))));
  totals.push_back(total("calibration error", fixed(report.expected_calibration_error, 4),
                         fmt::format("expects {} nats", fixed(overall.predictive_entropy_nats, 4))));
  return totals;
}

std::string error_text(const report::BaselineResult::Measure& measure, double unit, int digits, const char* name) {
  if (!measure.standard_error) return name;
  return fmt::format("{}, +/- {:.{}f}", name, unit * *measure.standard_error, digits);
}

std::string quantiles_text(const report::BaselineResult& baseline) {
  std::string text;
  for (const auto& each : baseline.quantiles) {
    text += fmt::format("{}{:g} %: {:.4g}", text.empty() ? "" : ", ", 100 * each.fraction, each.kl_nats);
  }
  return text.empty() ? "no tokens" : text;
}

/// Mean distances from a baseline, and how they are spread.
data baseline_of(const report::BaselineResult& baseline) {
  list totals;
  totals.push_back(
      total("KL divergence", fixed(baseline.kl_nats.value, 6), error_text(baseline.kl_nats, 1, 6, "nats a token")));
  totals.push_back(total("same likeliest token", percent(baseline.same_top.value),
                         error_text(baseline.same_top, 100, 2, "of the tokens")));
  totals.push_back(total("baseline's perplexity", perplexity_text(baseline.perplexity),
                         fmt::format("the model's is {} times that", fixed(baseline.perplexity_ratio, 6))));
  totals.push_back(total("ln of the ratio", fixed(baseline.log_perplexity_ratio.value, 6),
                         error_text(baseline.log_perplexity_ratio, 1, 6, "nats")));
  totals.push_back(total("change of probability", percent(baseline.probability_change.value),
                         error_text(baseline.probability_change, 100, 3, "of the token, mean")));
  totals.push_back(total("RMS of that change", percent(baseline.probability_change_rms.value),
                         error_text(baseline.probability_change_rms, 100, 3, "of the token")));
  data made;
  made.set("note",
           baseline.nonfinite_tokens != 0
               ? fmt::format("{} tokens have no finite result of both models: nothing is said.",
                             show::grouped(baseline.nonfinite_tokens))
               : fmt::format("KL divergence of the baseline's predictions from the model's, by share of tokens: "
                             "{} nats.",
                             quantiles_text(baseline)));
  made.set("totals", totals);
  return made;
}

list domains_of(const report::EvaluationReport& report) {
  double most = 0;
  for (const auto& domain : report.domains) {
    const report::EvaluationSummary& summary = domain.summary;
    most = std::max({most, summary.cross_entropy_nats.value_or(0), summary.cross_entropy_high_nats.value_or(0)});
  }
  list domains;
  for (const auto& [name, summary] : report.domains) {
    const auto share = [&](double nats) { return most == 0 ? 0 : 100 * std::clamp(nats / most, 0.0, 1.0); };
    data row = object({{"name", safe(name)},
                       {"width", fmt::format("{:.2f}", share(summary.cross_entropy_nats.value_or(0)))},
                       {"value", fixed(summary.cross_entropy_nats, 4)},
                       {"tokens", show::grouped(summary.tokens_scored)}});
    if (summary.cross_entropy_low_nats) {
      const double left = share(*summary.cross_entropy_low_nats);
      const double span = share(*summary.cross_entropy_high_nats) - left;
      row.set("reach", object({{"left", fmt::format("{:.2f}", left)}, {"span", fmt::format("{:.2f}", span)}}));
    } else {
      row.set("reach", data::type::bool_false);
    }
    domains.push_back(row);
  }
  return domains;
}

data chart(const char* title, const std::string& subtitle, const std::string& svg) {
  return object({{"title", title}, {"subtitle", subtitle}, {"svg", svg}});
}

list charts_of(const report::EvaluationReport& report) {
  list charts;
  charts.push_back(chart("By context", "tokens that a token was predicted from", band_chart(report.contexts)));
  charts.push_back(chart("By document length", "tokens of the document", band_chart(report.lengths)));
  charts.push_back(chart("By frequency", "how often the token was scored here", band_chart(report.frequencies)));
  charts.push_back(chart("Calibration", "share right against probability of the likeliest; on the line is honest",
                         calibration_chart(report.calibration)));
  return charts;
}

list documents_of(const std::vector<ShownDocument>& documents) {
  list shown;
  for (const ShownDocument& document : documents) {
    data made;
    made.set("label", safe(fmt::format("{}: {} ({:.3f} nats a token)",
                                       document.surprising ? "Most surprising" : "Least surprising", document.label,
                                       document.nats_per_token)));
    list tokens;
    for (const ShownDocument::Token& each : document.tokens) {
      tokens.push_back(object({{"level", fmt::format("{}", show::heat_level(each.nll_nats))},
                               {"title", fmt::format("{:.3f} nats", each.nll_nats)},
                               {"text", show::heat_text(each.bytes)}}));
    }
    made.set("tokens", tokens);
    const std::string more = fmt::format("... {} more tokens", show::grouped(document.hidden_tokens));
    made.set("more", document.hidden_tokens == 0 ? data(false) : data(more));
    shown.push_back(made);
  }
  return shown;
}

}  // namespace

std::string render_report_page(const PageContent& content) {
  const report::EvaluationReport& report = content.report;
  const windows::protocol::ScoringOptions& windows = report.subject.windows;
  data page;
  page.set("light_heat", show::heat_rules(show::HeatRamp::page_light));
  page.set("dark_heat", show::heat_rules(show::HeatRamp::page_dark));
  page.set("data", safe(content.data));
  page.set("protocol", std::string(windows.protocol->name));
  page.set("perplexity", perplexity_text(report.overall.perplexity));
  page.set("interval",
           report.overall.perplexity_low
               ? fmt::format("{} to {} in 95 % of corpora like this one, by {} documents",
                             perplexity_text(report.overall.perplexity_low),
                             perplexity_text(report.overall.perplexity_high), show::grouped(report.overall.documents))
               : std::string("no interval: it takes two documents"));
  page.set("how", fmt::format("{} (protocol {}): contexts of up to {} tokens, windows advance by {}. Perplexity is the "
                              "exponential of total nats over tokens; every token counts once.",
                              safe(content.data), windows.protocol->name, windows.context_length, windows.stride));
  page.set("totals", totals_of(report));
  std::string warning;
  if (report.overall.nonfinite_tokens != 0) {
    warning = fmt::format("{} tokens have no finite result: no overall value is given.",
                          show::grouped(report.overall.nonfinite_tokens));
  } else if (!report.complete()) {
    warning = fmt::format("Part of the data: the first {} of {} documents.", show::grouped(report.overall.documents),
                          show::grouped(report.overall.documents_in_data));
  }
  page.set("warning", warning.empty() ? data(false) : data(warning));
  page.set("macro", report.macro_cross_entropy_nats
                        ? fmt::format("All domains alike: {:.4f} nats, perplexity {}.",
                                      *report.macro_cross_entropy_nats, perplexity_text(report.macro_perplexity))
                        : std::string());
  page.set("baseline", report.baseline ? baseline_of(*report.baseline) : data(false));
  page.set("domains", domains_of(report));
  page.set("charts", charts_of(report));
  page.set("documents_note", safe(content.documents.empty() ? content.no_documents
                                                            : std::string("The most and the least surprising by nats a "
                                                                          "token, among those of 16 tokens or more.")));
  page.set("documents", documents_of(content.documents));
  page.set("command", safe(content.command));
  page.set("facts", facts_list(content.facts));
  return fill_in(kPageTemplate, page);
}

}  // namespace chainrule::pipeline::evaluate::page
