#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "io/tokens/token_stream.h"
#include "model/ops/batch.h"
#include "model/ops/prediction_scores.h"
#include "pipeline/evaluate/tally/partial_result.h"
#include "pipeline/windows/batch_buffer.h"
#include "pipeline/windows/work_units.h"

namespace chainrule::pipeline::evaluate {

/// Writes scores [rows], 0 where not scored: model::decoder::Decoder::score.
using ScoreBatch = std::function<void(const model::ops::Batch& batch, const model::ops::PredictionScores& scores)>;

/// Takes the scored tokens of a unit, in stream order.
using TakeToken = std::function<void(const tally::ScoredToken& token)>;

/// Turns a work unit into a batch, has it scored and hands the scored tokens on. Its buffers are made once.
class UnitScorer {
 public:
  /// documents are the first of stream's; both outlive the scorer. start_token: what the model reads documents behind.
  UnitScorer(const io::tokens::TokenStream& stream, std::span<const io::tokens::DocumentRecord> documents,
             std::uint32_t start_token, ScoreBatch score);

  /// Throws io::Error bad_data where a document does not end in an end-of-text, and what reading and scoring throw.
  void score(const windows::WorkUnit& unit, const TakeToken& take);
  /// Adds the unit and its scored tokens to result.
  void score(const windows::WorkUnit& unit, tally::PartialResult& result);

 private:
  void place(const windows::Window& window);
  [[noreturn]] void refuse_boundary(std::uint64_t position, std::uint64_t document, std::uint32_t token) const;
  void hand_on(const windows::Window& window, std::int64_t first_row, const TakeToken& take);

  const io::tokens::TokenStream& stream_;
  std::span<const io::tokens::DocumentRecord> documents_;
  std::uint32_t start_token_;
  ScoreBatch score_;
  windows::BatchBuffer buffer_;
  model::ops::OwnedPredictionScores scores_;
};

}  // namespace chainrule::pipeline::evaluate
