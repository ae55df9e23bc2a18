#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "io/tokens/token_stream.h"
#include "model/ops/batch.h"
#include "pipeline/evaluate/tally/tally.h"
#include "pipeline/evaluate/tally/unigram_counts.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// Writes nll [rows] in nats, 0 where not scored: model::Decoder::score.
using ScoreBatch = std::function<void(const model::ops::Batch& batch, std::span<double> nll)>;

/// Turns a work unit into a batch, has it scored and tallies the results. Its buffers are made once.
class UnitScorer {
 public:
  /// documents are the first of stream's; both outlive the scorer.
  UnitScorer(const io::tokens::TokenStream& stream, std::span<const io::tokens::DocumentRecord> documents,
             ScoreBatch score);

  /// Throws io::Error bad_data where a document does not end in an end-of-text, and what reading and scoring throw.
  tally::UnitResult score(const windows::WorkUnit& unit);

  /// How often each token was scored so far, with a finite result.
  tally::UnigramCounts& unigram_counts() { return unigram_counts_; }

 private:
  void place(const windows::Window& window);
  [[noreturn]] void refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const;
  void tally(const windows::Window& window, std::int64_t first_row, tally::UnitResult& result);

  const io::tokens::TokenStream& stream_;
  std::span<const io::tokens::DocumentRecord> documents_;
  ScoreBatch score_;
  tally::UnigramCounts unigram_counts_;
  windows::BatchBuffer buffer_;
  std::vector<double> nll_;
};

}  // namespace chainrule::pipeline::evaluate
