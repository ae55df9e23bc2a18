#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/tokens/document_table.h"
#include "pipeline/evaluate/report/baseline_result.h"
#include "pipeline/evaluate/report/protocol_result.h"
#include "pipeline/evaluate/tally/evaluation_tallies.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::evaluate::report {

/// Documents scored together and everything said of them; what a domain, the whole evaluation and a single document
/// have. Sums come first; a measure is one division of sums, and is empty where it is undefined (nothing scored, no
/// bytes), where it overflows, and where any result was not finite.
struct EvaluationSummary {
  std::uint64_t documents = 0;          ///< covered by this evaluation
  std::uint64_t documents_in_data = 0;  ///< in the data set
  std::uint64_t bytes = 0;              ///< UTF-8 bytes of the covered documents' original text
  std::uint64_t words = 0;
  std::uint64_t tokens_scored = 0;       ///< with a finite result
  std::uint64_t nonfinite_tokens = 0;    ///< without
  std::uint64_t end_of_text_tokens = 0;  ///< of tokens_scored

  std::optional<double> nll_nats;              ///< sum over all scored tokens
  std::optional<double> end_of_text_nll_nats;  ///< the part of it that end-of-text tokens have
  std::optional<double> cross_entropy_nats;    ///< nll_nats / scored tokens
  /// Standard error of cross_entropy_nats (H) as a ratio of sums, clustered by document, since the tokens of one
  /// document are not independent: sqrt(D/(D-1) sum_d (s_d - H n_d)^2) / sum_d n_d over the D documents with scored
  /// tokens, s_d their nats, n_d their tokens (Cochran, Sampling Techniques, 1977, section 6.4). Needs D >= 2.
  std::optional<double> standard_error_nats;
  /// The same as if all tokens were independent, which they are not: sqrt((mean square - H^2) / (n - 1)); what
  /// llama.cpp prints.
  std::optional<double> independent_standard_error_nats;
  /// H -/+ 1.96 clustered standard errors, which hold the corpus' own value in 95 % of corpora like this one.
  std::optional<double> cross_entropy_low_nats, cross_entropy_high_nats;
  std::optional<double> perplexity;  ///< exp(cross_entropy_nats)
  std::optional<double> perplexity_low, perplexity_high;
  std::optional<double> bits_per_byte;            ///< text nats, end-of-text left out, / (ln 2 x bytes)
  std::optional<double> byte_perplexity;          ///< exp(text nats / bytes)
  std::optional<double> word_perplexity;          ///< exp(text nats / words)
  std::optional<double> top1_accuracy;            ///< share of the scored tokens that were the likeliest
  std::optional<double> top5_accuracy;            ///< share that were among the five likeliest
  std::optional<double> predictive_entropy_nats;  ///< mean entropy of the predictive distributions
  /// Entropy of the scored tokens' own distribution: no unigram model does better on them.
  std::optional<double> unigram_entropy_nats;
};

/// Scored tokens of which some number lies in [from, to].
struct BandSummary {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t tokens_scored = 0;
  std::uint64_t nonfinite_tokens = 0;
  std::optional<double> cross_entropy_nats;
  std::optional<double> perplexity;
  std::optional<double> top1_accuracy;
  std::optional<double> predictive_entropy_nats;
};

/// Scored tokens whose likeliest alternative had a probability in [from, to).
struct CalibrationBin {
  double from = 0;
  double to = 0;
  std::uint64_t tokens = 0;
  std::optional<double> expected;  ///< mean probability of the likeliest
  std::optional<double> observed;  ///< share of them in which it came
};

/// What was evaluated, on what, and how.
struct EvaluationSubject {
  windows::protocol::ScoringOptions windows;
  std::string weights_hash;
  std::int64_t step = 0;
  std::string average = {};  ///< which one the weights are; empty: none
  std::string data_fingerprint;
  std::string tokenizer_fingerprint;
  std::uint32_t vocabulary_size = 0;
  std::uint64_t documents = 0;  ///< the data set's first so many are covered
};

/// The results of an evaluation, made of integers in one order: the same bits for any number of ranks.
struct EvaluationReport {
  struct Domain {
    std::string name;
    EvaluationSummary summary;
  };

  EvaluationSubject subject;
  ProtocolResult protocol;  ///< not made by make_report: see make_protocol_result
  EvaluationSummary overall;
  std::vector<Domain> domains;  ///< every domain of the data set, in its order
  double uniform_nats = 0;      ///< ln V, what the model that knows nothing scores
  /// Each domain counted alike, however many tokens it has: the mean of the domains' cross-entropies, its exponential,
  /// and the mean of their bits per byte. Over the domains that have one.
  std::optional<double> macro_cross_entropy_nats, macro_perplexity, macro_bits_per_byte;
  std::optional<double> expected_calibration_error;  ///< see tally::expected_calibration_error
  std::vector<CalibrationBin> calibration;
  std::vector<BandSummary> contexts;     ///< by the tokens that a token was predicted from
  std::vector<BandSummary> lengths;      ///< by the tokens of its document
  std::vector<BandSummary> frequencies;  ///< by how often its id was scored

  std::optional<BaselineResult> baseline;  ///< where there is one; not made by make_report either

  /// Scored tokens without a finite result of the model, or of the baseline that it is compared with.
  std::uint64_t nonfinite_tokens() const { return baseline ? baseline->nonfinite_tokens : overall.nonfinite_tokens; }
  bool complete() const { return overall.documents == overall.documents_in_data; }
};

/// documents: all of the data set, of which subject.documents are covered.
EvaluationReport make_report(const EvaluationSubject& subject, std::span<const std::string> domains,
                             const io::tokens::DocumentTable& documents, const tally::EvaluationTallies& tallies);

/// One document's summary.
EvaluationSummary summary_of(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally);

/// Documents summed up one at a time.
class DocumentGroup {
 public:
  void add(const io::tokens::DocumentRecord& document, const tally::TokenTally& tally);
  std::uint64_t documents() const { return summary_.documents; }
  /// Without what takes a second look at the documents: the clustered error and the unigram entropy.
  EvaluationSummary summary() const;

 private:
  EvaluationSummary summary_;
  tally::TokenTally tally_;
};

/// Calls visit for each of the first `covered` documents, with an empty tally where nothing of it was scored.
void for_each_document(const io::tokens::DocumentTable& documents, std::uint64_t covered,
                       const tally::DocumentTallies& tallies,
                       const std::function<void(std::uint64_t index, const io::tokens::DocumentRecord& document,
                                                const tally::TokenTally& tally)>& visit);

}  // namespace chainrule::pipeline::evaluate::report
