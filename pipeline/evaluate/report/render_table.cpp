#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/report/render_protocols.h"
#include "pipeline/show/numbers.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

std::string fixed(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string("-");
}

std::string perplexity_text(const std::optional<double>& value) {
  if (!value) return "-";
  return *value < 1e7 ? fmt::format("{:.2f}", *value) : fmt::format("{:.3e}", *value);
}

std::string with_error(const BaselineResult::Measure& measure, double unit, int digits) {
  const auto in_unit = [unit](const std::optional<double>& value) {
    return value ? std::optional(*value * unit) : value;
  };
  return fmt::format("{} +/- {}", fixed(in_unit(measure.value), digits),
                     fixed(in_unit(measure.standard_error), digits));
}

/// What is said of the model beside a baseline.
std::string baseline_lines(const BaselineResult& baseline) {
  if (baseline.nonfinite_tokens != 0) {
    return fmt::format("{} tokens have no finite result beside the baseline: nothing is said of the distance from it\n",
                       show::grouped(baseline.nonfinite_tokens));
  }
  std::string text = fmt::format(
      "from the baseline: KL divergence {} nats a token; the same likeliest token in {} %;\n"
      "  its perplexity {}, ln of the perplexities' ratio {}; probability of the token {} %, RMS {} %\n",
      with_error(baseline.kl_nats, 1, 6), with_error(baseline.same_top, 100, 2), perplexity_text(baseline.perplexity),
      with_error(baseline.log_perplexity_ratio, 1, 6), with_error(baseline.probability_change, 100, 3),
      with_error(baseline.probability_change_rms, 100, 3));
  for (const BaselineResult::Quantile& each : baseline.quantiles) {
    fmt::format_to(std::back_inserter(text), "{}{:g} %: {:.6f}",
                   each.fraction == 0 ? "  KL by share of tokens: " : ", ", 100 * each.fraction, each.kl_nats);
  }
  return baseline.quantiles.empty() ? text : text + '\n';
}

}  // namespace

std::string render_table(const EvaluationReport& report) {
  std::size_t width = std::string_view("unigram entropy").size();
  for (const auto& domain : report.domains) width = std::max(width, domain.name.size());
  std::string text;
  const auto line = [&](std::string_view name, std::string_view documents, std::string_view tokens,
                        std::string_view cross_entropy, std::string_view error, std::string_view perplexity,
                        std::string_view bits_per_byte, std::string_view unigram) {
    fmt::format_to(std::back_inserter(text), "{:<{}}  {:>10}  {:>13}  {:>13}  {:>8}  {:>12}  {:>9}  {:>11}\n", name,
                   width, documents, tokens, cross_entropy, error, perplexity, bits_per_byte, unigram);
  };
  const auto summary_line = [&](std::string_view name, const EvaluationSummary& summary) {
    line(name, show::grouped(summary.documents), show::grouped(summary.tokens_scored),
         fixed(summary.cross_entropy_nats, 4), fixed(summary.standard_error_nats, 4),
         perplexity_text(summary.perplexity), fixed(summary.bits_per_byte, 4), fixed(summary.unigram_entropy_nats, 4));
  };
  line("domain", "documents", "scored tokens", "cross-entropy", "+/-", "perplexity", "bits/byte", "own unigram");
  for (const auto& domain : report.domains) summary_line(domain.name, domain.summary);
  summary_line("overall", report.overall);
  const auto& entropy = report.overall.unigram_entropy_nats;
  line("unigram entropy", "", "", fixed(entropy, 4), "",
       perplexity_text(entropy ? std::optional(std::exp(*entropy)) : entropy), "", "");
  line("uniform model", "", "", fixed(report.uniform_nats, 4), "", perplexity_text(std::exp(report.uniform_nats)), "",
       "");
  fmt::format_to(std::back_inserter(text),
                 "\ncross-entropy in nats per scored token, +/- its standard error clustered by document; own unigram: "
                 "the entropy\nof the scored tokens' own distribution, below which no unigram model comes; uniform: "
                 "ln {}\n",
                 report.subject.vocabulary_size);
  if (const auto& overall = report.overall; overall.perplexity_low) {
    fmt::format_to(std::back_inserter(text),
                   "perplexity {} ({} to {} in 95 % of corpora like this one); over domains alike {}\n",
                   perplexity_text(overall.perplexity), perplexity_text(overall.perplexity_low),
                   perplexity_text(overall.perplexity_high), perplexity_text(report.macro_perplexity));
  }
  if (report.overall.top1_accuracy) {
    fmt::format_to(std::back_inserter(text),
                   "the token was the likeliest in {:.2f} %, among the five likeliest in {:.2f} %; the model expected "
                   "{} nats; calibration error {}\n",
                   100 * *report.overall.top1_accuracy, 100 * *report.overall.top5_accuracy,
                   fixed(report.overall.predictive_entropy_nats, 4), fixed(report.expected_calibration_error, 4));
  }
  if (!report.subject.average.empty()) {
    fmt::format_to(std::back_inserter(text), "the weights are an average: {}\n", report.subject.average);
  }
  if (report.baseline) text += baseline_lines(*report.baseline);
  if (!report.subject.windows.protocol->difference.empty()) text += render_protocol(report.protocol);
  if (!report.complete()) {
    fmt::format_to(std::back_inserter(text), "part of the data: the first {} of {} documents\n",
                   show::grouped(report.overall.documents), show::grouped(report.overall.documents_in_data));
  }
  if (report.overall.nonfinite_tokens != 0) {
    fmt::format_to(std::back_inserter(text), "{} tokens have no finite result: no overall value is given\n",
                   show::grouped(report.overall.nonfinite_tokens));
  }
  return text;
}

}  // namespace chainrule::pipeline::evaluate::report
