#include "pipeline/evaluate/report/evaluation_report.h"

#include <cmath>
#include <numbers>

namespace chainrule::pipeline::evaluate::report {
namespace {

/// The value where it is a number; a perplexity that overflows is said to be none, never capped.
std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

/// The squared deviations that the clustered standard error sums over documents.
class Clusters {
 public:
  explicit Clusters(const EvaluationSummary& summary) : summary_(summary) {}

  void add(const tally::DocumentScore& score) {
    const comm::ExactSum all = score.all();
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

void add(EvaluationSummary& summary, const io::tokens::DocumentRecord& document) {
  ++summary.documents;
  summary.bytes += document.bytes;
  summary.words += document.words;
}

/// Fills in the counts of tokens and the measures (not the standard error and the unigram entropy).
void derive_measures(const tally::DocumentScore& score, EvaluationSummary& summary) {
  const comm::ExactSum all = score.all();
  summary.tokens_scored = all.count();
  summary.nonfinite_tokens = all.nonfinite();
  summary.end_of_text_tokens = score.end_of_text.count();
  if (summary.nonfinite_tokens != 0) return;
  summary.nll_nats = all.nats();
  summary.end_of_text_nll_nats = score.end_of_text.nats();
  if (all.count() == 0) return;
  const double cross_entropy = all.nats() / static_cast<double>(all.count());
  summary.cross_entropy_nats = cross_entropy;
  summary.perplexity = finite(std::exp(cross_entropy));
  if (score.text.count() == 0) return;
  const double text_nats = score.text.nats();
  if (summary.bytes != 0) {
    const auto bytes = static_cast<double>(summary.bytes);
    summary.bits_per_byte = text_nats / (std::numbers::ln2 * bytes);
    summary.byte_perplexity = finite(std::exp(text_nats / bytes));
  }
  if (summary.words != 0) summary.word_perplexity = finite(std::exp(text_nats / static_cast<double>(summary.words)));
}

}  // namespace

EvaluationReport make_report(const EvaluationSubject& subject, std::span<const std::string> domains,
                             std::span<const io::tokens::DocumentRecord> documents,
                             std::span<const tally::DocumentScore> scores, const tally::UnigramCounts& unigram_counts) {
  EvaluationReport report;
  report.subject = subject;
  report.uniform_nats = std::log(static_cast<double>(subject.vocabulary_size));
  for (const auto& name : domains) report.domains.push_back({name, {}});
  for (const auto& document : documents) ++report.domains[document.domain].summary.documents_in_data;
  report.overall.documents_in_data = documents.size();
  tally::DocumentScore all;
  std::vector<tally::DocumentScore> of_domain(domains.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::uint16_t domain = documents[i].domain;
    add(report.overall, documents[i]);
    add(report.domains[domain].summary, documents[i]);
    all.merge(scores[i]);
    of_domain[domain].merge(scores[i]);
  }

  derive_measures(all, report.overall);
  Clusters overall(report.overall);
  std::vector<Clusters> clusters;
  clusters.reserve(report.domains.size());
  for (std::size_t i = 0; i < report.domains.size(); ++i) {
    derive_measures(of_domain[i], report.domains[i].summary);
    clusters.emplace_back(report.domains[i].summary);
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    overall.add(scores[i]);
    clusters[documents[i].domain].add(scores[i]);
  }
  report.overall.standard_error_nats = overall.standard_error_nats();
  report.overall.unigram_entropy_nats = unigram_counts.entropy_nats();
  for (std::size_t i = 0; i < report.domains.size(); ++i) {
    report.domains[i].summary.standard_error_nats = clusters[i].standard_error_nats();
    report.domains[i].summary.unigram_entropy_nats = unigram_counts.entropy_nats(i);
  }
  return report;
}

EvaluationSummary summary_of(const io::tokens::DocumentRecord& document, const tally::DocumentScore& score) {
  EvaluationSummary summary;
  summary.documents_in_data = 1;
  add(summary, document);
  derive_measures(score, summary);
  return summary;
}

}  // namespace chainrule::pipeline::evaluate::report
