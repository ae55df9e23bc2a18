#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "io/tokens/token_stream.h"
#include "model/ops/batch.h"
#include "pipeline/evaluate/tally/tally.h"
#include "pipeline/evaluate/tally/unigram_counts.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// Reads stream tokens [first, first + tokens.size()): io::tokens::TokenStream::read.
using ReadTokens = std::function<void(std::uint64_t first, std::span<std::uint32_t> tokens)>;

/// Writes nll [rows] in nats, 0 where not scored: model::Decoder::score.
using ScoreBatch = std::function<void(const model::ops::Batch& batch, std::span<double> nll)>;

/// Turns a work unit into a batch, has it scored and tallies the results. Its buffers are made once.
class UnitScorer {
 public:
  /// documents outlives the scorer.
  UnitScorer(std::span<const io::tokens::DocumentRecord> documents, std::size_t domains, std::uint32_t end_of_text,
             ReadTokens read, ScoreBatch score);

  /// Throws io::Error bad_data where a document does not end in an end-of-text, and what reading and scoring throw.
  tally::UnitResult score(const windows::WorkUnit& unit);

  /// How often each token was scored so far, with a finite result.
  tally::UnigramCounts& unigram_counts() { return unigram_counts_; }

 private:
  void place(const windows::ScoringWindow& window, std::int64_t first_row);
  [[noreturn]] void refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const;
  void tally(const windows::ScoringWindow& window, std::int64_t first_row, tally::UnitResult& result);

  std::span<const io::tokens::DocumentRecord> documents_;
  std::uint32_t end_of_text_;
  ReadTokens read_;
  ScoreBatch score_;
  tally::UnigramCounts unigram_counts_;
  std::vector<std::uint32_t> tokens_;  ///< of one window: the token before it, then its targets
  std::vector<std::uint32_t> inputs_;
  std::vector<std::uint32_t> targets_;
  std::vector<model::ops::Sequence> sequences_;
  std::vector<double> nll_;
};

}  // namespace chainrule::pipeline::evaluate
