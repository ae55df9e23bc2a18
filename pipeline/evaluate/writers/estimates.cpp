#include "pipeline/evaluate/writers/estimates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace chainrule::pipeline::evaluate::writers {
namespace {

using report::EvaluationSummary;

double nats(const tally::TokenTally& tally) { return tally.all().nats(); }
double text_nats(const tally::TokenTally& tally) { return tally.text.nats(); }
double top1(const tally::TokenTally& tally) { return static_cast<double>(tally.top1); }
double top5(const tally::TokenTally& tally) { return static_cast<double>(tally.top5); }

using Document = io::tokens::DocumentRecord;
double tokens(const Document&, const tally::TokenTally& tally) { return static_cast<double>(tally.all().count()); }
double bytes(const Document& document, const tally::TokenTally&) { return static_cast<double>(document.bytes); }
double words(const Document& document, const tally::TokenTally&) { return static_cast<double>(document.words); }

constexpr std::array kMeasures = {
    Measure{.name = "cross_entropy_nats",
            .title = "Cross-entropy",
            .kind = "cross_entropy",
            .unit = "nats per token",
            .description = "Total negative log-likelihood of all scored tokens, over their number",
            .value = &EvaluationSummary::cross_entropy_nats,
            .sum = nats,
            .over = tokens},
    Measure{.name = "perplexity",
            .title = "Perplexity per token",
            .kind = "perplexity",
            .unit = "perplexity",
            .description = "Exponential of the total negative log-likelihood of all scored tokens over their number; "
                           "depends on the tokenizer",
            .least = 1,
            .value = &EvaluationSummary::perplexity,
            .sum = nats,
            .over = tokens,
            .exponential = true},
    Measure{.name = "bits_per_byte",
            .title = "Bits per byte",
            .kind = "cross_entropy",
            .unit = "bits per byte",
            .description = "Total negative log-likelihood of the text in bits, end-of-text left out, over its UTF-8 "
                           "bytes",
            .value = &EvaluationSummary::bits_per_byte,
            .sum = text_nats,
            .over = bytes,
            .factor = 1 / std::numbers::ln2},
    Measure{.name = "byte_perplexity",
            .title = "Perplexity per byte",
            .kind = "perplexity",
            .unit = "perplexity",
            .description = "Exponential of the total negative log-likelihood of the text over its UTF-8 bytes",
            .least = 1,
            .value = &EvaluationSummary::byte_perplexity,
            .sum = text_nats,
            .over = bytes,
            .exponential = true},
    Measure{.name = "word_perplexity",
            .title = "Perplexity per word",
            .kind = "perplexity",
            .unit = "perplexity",
            .description = "Exponential of the total negative log-likelihood of the text over its words, which are the "
                           "pieces between runs of white space",
            .least = 1,
            .value = &EvaluationSummary::word_perplexity,
            .sum = text_nats,
            .over = words,
            .exponential = true},
    Measure{.name = "top1_accuracy",
            .title = "Top-1 accuracy",
            .kind = "accuracy",
            .unit = "proportion",
            .description = "Share of the scored tokens that were the likeliest",
            .lower_is_better = false,
            .most = 1,
            .value = &EvaluationSummary::top1_accuracy,
            .sum = top1,
            .over = tokens},
    Measure{.name = "top5_accuracy",
            .title = "Top-5 accuracy",
            .kind = "accuracy",
            .unit = "proportion",
            .description = "Share of the scored tokens that were among the five likeliest",
            .lower_is_better = false,
            .most = 1,
            .value = &EvaluationSummary::top5_accuracy,
            .sum = top5,
            .over = tokens},
};

std::optional<double> if_finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

}  // namespace

std::span<const Measure> all_measures() { return kMeasures; }

const Measure& measure_named(std::string_view name) {
  const auto found =
      std::find_if(kMeasures.begin(), kMeasures.end(), [&](const auto& each) { return each.name == name; });
  if (found == kMeasures.end()) throw std::logic_error("no measure of this name");
  return *found;
}

Estimates::Estimates(const EvaluationSummary& summary) : summary_(&summary), ratios_(kMeasures.size()) {}

void Estimates::add(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
  for (std::size_t i = 0; i < kMeasures.size(); ++i) {
    const double sum = kMeasures[i].sum(tally);
    const double over = kMeasures[i].over(document, tally);
    if (sum != 0 || over != 0) ratios_[i].add(sum, over);
  }
}

std::optional<Estimate> Estimates::of(const Measure& measure) const {
  const std::optional<double>& value = summary_->*measure.value;
  if (!value) return std::nullopt;
  const tally::RatioOfSums& ratio = ratios_[static_cast<std::size_t>(&measure - kMeasures.data())];
  Estimate estimate{*value, ratio.documents(), {}, {}, {}};
  if (!ratio.standard_error()) return estimate;
  const double error = *ratio.standard_error() * measure.factor;
  const double reach = tally::kErrorsOf95Percent * error;
  if (measure.exponential) {  // the delta method, and the interval of the logarithm
    estimate.standard_error = if_finite(*value * error);
    estimate.low = if_finite(*value * std::exp(-reach));
    estimate.high = if_finite(*value * std::exp(reach));
  } else {
    estimate.standard_error = error;
    estimate.low = *value - reach;
    estimate.high = *value + reach;
  }
  return estimate;
}

EstimatesOfReport estimates_of(const WrittenReport& written) {
  const report::EvaluationReport& report = written.report;
  EstimatesOfReport estimates{Estimates(report.overall), {}};
  for (const auto& domain : report.domains) estimates.domains.emplace_back(domain.summary);
  report::for_each_document({written.text, report.subject.documents}, report.subject.documents, written.tallies,
                            [&](std::uint64_t, const Document& document, const tally::TokenTally& tally) {
                              estimates.overall.add(document, tally);
                              estimates.domains[document.domain].add(document, tally);
                            });
  return estimates;
}

}  // namespace chainrule::pipeline::evaluate::writers
