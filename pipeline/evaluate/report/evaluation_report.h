#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/tokens/token_stream.h"
#include "pipeline/evaluate/tally/document_scores.h"
#include "pipeline/evaluate/tally/unigram_counts.h"
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
  std::optional<double> perplexity;       ///< exp(cross_entropy_nats)
  std::optional<double> bits_per_byte;    ///< text nats, end-of-text left out, / (ln 2 x bytes)
  std::optional<double> byte_perplexity;  ///< exp(text nats / bytes)
  std::optional<double> word_perplexity;  ///< exp(text nats / words)
  /// Entropy of the scored tokens' own distribution: no unigram model does better on them.
  std::optional<double> unigram_entropy_nats;
};

/// What was evaluated, on what, and how.
struct EvaluationSubject {
  windows::protocol::ScoringOptions windows;
  std::string weights_hash;
  std::int64_t step = 0;
  std::string data_fingerprint;
  std::string tokenizer_fingerprint;
  std::uint32_t vocabulary_size = 0;
};

/// The results of an evaluation, made of integers in one order: the same bits for any number of ranks.
struct EvaluationReport {
  struct Domain {
    std::string name;
    EvaluationSummary summary;
  };

  EvaluationSubject subject;
  EvaluationSummary overall;
  std::vector<Domain> domains;  ///< every domain of the data set, in its order
  double uniform_nats = 0;      ///< ln V, what the model that knows nothing scores

  bool complete() const { return overall.documents == overall.documents_in_data; }
};

/// documents: all of the data set; scores: of the first of them, those covered.
EvaluationReport make_report(const EvaluationSubject& subject, std::span<const std::string> domains,
                             std::span<const io::tokens::DocumentRecord> documents,
                             std::span<const tally::DocumentScore> scores, const tally::UnigramCounts& unigram_counts);

/// One document's summary.
EvaluationSummary summary_of(const io::tokens::DocumentRecord& document, const tally::DocumentScore& score);

}  // namespace chainrule::pipeline::evaluate::report
