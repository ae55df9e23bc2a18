#pragma once
#include <functional>
#include <vector>

#include "model/ops/batch.h"
#include "model/ops/prediction_divergence.h"
#include "model/ops/prediction_scores.h"
#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/evaluate/scoring/unit_tokens.h"

namespace chainrule::pipeline::evaluate::scoring {

/// Fills scores [rows] where rows are scored: model::decoder::Decoder::score.
using ScoreBatch = std::function<void(const model::ops::Batch& batch, const model::ops::PredictionScores& scores)>;

/// The same, and what else is asked of a baseline beside the model.
using CompareBatch = std::function<void(const model::ops::Batch& batch, const model::ops::PredictionScores& scores,
                                        const model::ops::BaselineScores& baseline)>;

/// Turns a work unit into a batch, has it scored and collects what scored tokens got. Its buffers are made once.
class UnitScorer {
 public:
  UnitScorer(UnitTokens tokens, ScoreBatch score) : tokens_(std::move(tokens)), score_(std::move(score)) {}
  /// Results then have a baseline's columns.
  UnitScorer(UnitTokens tokens, CompareBatch compare) : tokens_(std::move(tokens)), compare_(std::move(compare)) {}

  /// Valid until the next call. Throws what UnitTokens and scoring throw.
  const journal::UnitResult& score(const windows::WorkUnit& unit);

 private:
  UnitTokens tokens_;
  ScoreBatch score_;  ///< or:
  CompareBatch compare_;
  model::ops::OwnedPredictionScores scores_;  ///< of every row
  model::ops::OwnedBaselineScores baseline_;  ///< of every row, where they are compared
  journal::UnitResult result_;
};

}  // namespace chainrule::pipeline::evaluate::scoring
