#include "pipeline/evaluate/report/evaluation_report.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "pipeline/evaluate/tally/ratio_of_sums.h"

namespace chainrule::pipeline::evaluate::report {
namespace {

/// The value where it is a number; a perplexity that overflows is said to be none, never capped.
std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

/// The squared deviations that the clustered standard error sums over documents.
class Clusters {
 public:
  explicit Clusters(const EvaluationSummary& summary) : summary_(summary) {}

  void add(const tally::TokenTally& tally) {
    const comm::ExactSum all = tally.all();
    if (all.count() == 0 || !summary_.cross_entropy_nats) return;
    const double deviation = all.nats() - *summary_.cross_entropy_nats * static_cast<double>(all.count());
    squares_ += deviation * deviation;
    ++documents_;
  }

  std::optional<double> standard_error_nats() const {
    if (documents_ < 2) return std::nullopt;
    const auto documents = static_cast<double>(documents_);
    return std::sqrt(documents / (documents - 1) * squares_) / static_cast<double>(summary_.tokens_scored);
  }

 private:
  const EvaluationSummary& summary_;
  double squares_ = 0;
  std::uint64_t documents_ = 0;
};

void count_document(const io::tokens::DocumentRecord& document, EvaluationSummary& summary) {
  ++summary.documents;
  summary.bytes += document.bytes;
  summary.words += document.words;
}

std::optional<double> over(double sum, std::uint64_t count) {
  return count == 0 ? std::nullopt : std::optional(sum / static_cast<double>(count));
}

/// As if tokens were independent; needs two.
std::optional<double> independent_error(const tally::TokenTally& tally, double mean, std::uint64_t tokens) {
  if (tokens < 2 || tally.squares.nonfinite() != 0) return std::nullopt;
  const double variance = tally.squares.nats() / static_cast<double>(tokens) - mean * mean;
  return std::sqrt(std::max(0.0, variance) / static_cast<double>(tokens - 1));
}

/// Fills in the counts of tokens and the measures (not the clustered standard error and the unigram entropy).
void derive_measures(const tally::TokenTally& tally, EvaluationSummary& summary) {
  const comm::ExactSum all = tally.all();
  summary.tokens_scored = all.count();
  summary.nonfinite_tokens = all.nonfinite();
  summary.end_of_text_tokens = tally.end_of_text.count();
  if (summary.nonfinite_tokens != 0) return;
  summary.nll_nats = all.nats();
  summary.end_of_text_nll_nats = tally.end_of_text.nats();
  if (all.count() == 0) return;
  const double cross_entropy = all.nats() / static_cast<double>(all.count());
  summary.cross_entropy_nats = cross_entropy;
  summary.independent_standard_error_nats = independent_error(tally, cross_entropy, all.count());
  summary.perplexity = finite(std::exp(cross_entropy));
  summary.top1_accuracy = over(static_cast<double>(tally.top1), all.count());
  summary.top5_accuracy = over(static_cast<double>(tally.top5), all.count());
  summary.predictive_entropy_nats = over(tally.entropy.nats(), all.count());
  if (tally.text.count() == 0) return;
  const double text_nats = tally.text.nats();
  if (summary.bytes != 0) {
    const auto bytes = static_cast<double>(summary.bytes);
    summary.bits_per_byte = text_nats / (std::numbers::ln2 * bytes);
    summary.byte_perplexity = finite(std::exp(text_nats / bytes));
  }
  if (summary.words != 0) summary.word_perplexity = finite(std::exp(text_nats / static_cast<double>(summary.words)));
}

void derive_intervals(std::optional<double> standard_error_nats, EvaluationSummary& summary) {
  summary.standard_error_nats = standard_error_nats;
  if (!standard_error_nats) return;
  const double reach = tally::kErrorsOf95Percent * *standard_error_nats;
  summary.cross_entropy_low_nats = *summary.cross_entropy_nats - reach;
  summary.cross_entropy_high_nats = *summary.cross_entropy_nats + reach;
  summary.perplexity_low = finite(std::exp(*summary.cross_entropy_low_nats));
  summary.perplexity_high = finite(std::exp(*summary.cross_entropy_high_nats));
}

std::vector<BandSummary> summaries_of(const std::vector<tally::Band>& bands) {
  std::vector<BandSummary> summaries;
  for (const tally::Band& band : bands) {
    EvaluationSummary of_tokens;
    derive_measures(band.tally, of_tokens);
    summaries.push_back({band.from, band.to, of_tokens.tokens_scored, of_tokens.nonfinite_tokens,
                         of_tokens.cross_entropy_nats, of_tokens.perplexity, of_tokens.top1_accuracy,
                         of_tokens.predictive_entropy_nats});
  }
  return summaries;
}

std::vector<CalibrationBin> bins_of(const tally::Calibration& calibration) {
  constexpr auto kBins = static_cast<double>(tally::Calibration::kBins);
  std::vector<CalibrationBin> bins;
  for (const tally::Calibration::Bin& bin : calibration.bins()) {
    const auto index = static_cast<double>(bins.size());
    const std::uint64_t tokens = bin.probability.count();
    bins.push_back({index / kBins, (index + 1) / kBins, tokens, over(bin.probability.nats(), tokens),
                    over(static_cast<double>(bin.hits), tokens)});
  }
  return bins;
}

/// The mean of those that there are.
std::optional<double> mean_over(const std::vector<EvaluationReport::Domain>& domains,
                                std::optional<double> EvaluationSummary::*measure) {
  double sum = 0;
  std::uint64_t count = 0;
  for (const EvaluationReport::Domain& domain : domains) {
    const std::optional<double>& value = domain.summary.*measure;
    if (value) sum += *value;
    if (value) ++count;
  }
  return over(sum, count);
}

void derive_macro_averages(EvaluationReport& report) {
  if (report.overall.nonfinite_tokens != 0) return;
  report.macro_cross_entropy_nats = mean_over(report.domains, &EvaluationSummary::cross_entropy_nats);
  report.macro_bits_per_byte = mean_over(report.domains, &EvaluationSummary::bits_per_byte);
  if (report.macro_cross_entropy_nats) report.macro_perplexity = finite(std::exp(*report.macro_cross_entropy_nats));
}

/// All sums over documents: those of the whole and of each domain, then their standard errors.
void add_up_documents(const io::tokens::DocumentTable& documents, const tally::DocumentTallies& tallies,
                      EvaluationReport& report) {
  for (std::uint64_t i = 0; i < documents.size(); ++i) {
    ++report.domains[documents[i].domain].summary.documents_in_data;
  }
  report.overall.documents_in_data = documents.size();
  tally::TokenTally all;
  std::vector<tally::TokenTally> of_domain(report.domains.size());
  for_each_document(documents, report.subject.documents, tallies,
                    [&](std::uint64_t, const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
                      count_document(document, report.overall);
                      count_document(document, report.domains[document.domain].summary);
                      all.merge(tally);
                      of_domain[document.domain].merge(tally);
                    });
  derive_measures(all, report.overall);
  Clusters overall(report.overall);
  std::vector<Clusters> clusters;
  clusters.reserve(report.domains.size());
  for (std::size_t i = 0; i < report.domains.size(); ++i) {
    derive_measures(of_domain[i], report.domains[i].summary);
    clusters.emplace_back(report.domains[i].summary);
  }
  tallies.for_each([&](std::uint64_t document, const tally::TokenTally& tally) {
    overall.add(tally);
    clusters[documents[document].domain].add(tally);
  });
  derive_intervals(overall.standard_error_nats(), report.overall);
  for (std::size_t i = 0; i < report.domains.size(); ++i) {
    derive_intervals(clusters[i].standard_error_nats(), report.domains[i].summary);
  }
}

}  // namespace

void for_each_document(
    const io::tokens::DocumentTable& documents, std::uint64_t covered, const tally::DocumentTallies& tallies,
    const std::function<void(std::uint64_t, const io::tokens::DocumentRecord&, const tally::TokenTally&)>& visit) {
  std::uint64_t next = 0;
  const auto visit_up_to = [&](std::uint64_t end) {
    for (; next < end; ++next) visit(next, documents[next], {});
  };
  tallies.for_each([&](std::uint64_t document, const tally::TokenTally& tally) {
    visit_up_to(document);
    visit(next, documents[next], tally);
    ++next;
  });
  visit_up_to(covered);
}

EvaluationReport make_report(const EvaluationSubject& subject, std::span<const std::string> domains,
                             const io::tokens::DocumentTable& documents, const tally::EvaluationTallies& tallies) {
  EvaluationReport report;
  report.subject = subject;
  report.uniform_nats = std::log(static_cast<double>(subject.vocabulary_size));
  for (const auto& name : domains) report.domains.push_back({name, {}});
  add_up_documents(documents, tallies.documents, report);
  report.overall.unigram_entropy_nats = tallies.unigrams.entropy_nats();
  for (std::size_t i = 0; i < report.domains.size(); ++i) {
    report.domains[i].summary.unigram_entropy_nats = tallies.unigrams.entropy_nats(i);
  }
  derive_macro_averages(report);
  report.expected_calibration_error = tally::expected_calibration_error(tallies.calibration.bins());
  report.calibration = bins_of(tallies.calibration);
  report.contexts = summaries_of(tallies.positions.bands());
  report.lengths = summaries_of(tallies.lengths.bands());
  report.frequencies = summaries_of(tallies.frequencies.bands());
  return report;
}

void DocumentGroup::add(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
  count_document(document, summary_);
  tally_.merge(tally);
}

EvaluationSummary DocumentGroup::summary() const {
  EvaluationSummary summary = summary_;
  derive_measures(tally_, summary);
  return summary;
}

EvaluationSummary summary_of(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally) {
  DocumentGroup group;
  group.add(document, tally);
  EvaluationSummary summary = group.summary();
  summary.documents_in_data = 1;
  return summary;
}

}  // namespace chainrule::pipeline::evaluate::report
