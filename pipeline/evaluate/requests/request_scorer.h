#pragma once
#include <functional>
#include <vector>

#include "model/ops/prediction_scores.h"
#include "pipeline/evaluate/journal/unit_result.h"
#include "pipeline/evaluate/requests/request_file.h"
#include "pipeline/evaluate/requests/request_tokens.h"
#include "pipeline/evaluate/requests/shared_batch.h"

namespace chainrule::pipeline::evaluate::requests {

/// Fills the scores of a batch's scored rows and of its further targets: model::decoder::Decoder::score.
using ScoreShared = std::function<void(const SharedBatch& batch, const model::ops::PredictionScores& scores,
                                       const model::ops::PredictionScores& further)>;

/// Answers the requests of a unit.
class RequestScorer {
 public:
  /// file and encoder outlive it.
  RequestScorer(const RequestFile& file, const RequestEncoder& encoder, const SharingOptions& sharing,
                ScoreShared score);

  /// The unit's record: an answer for each request (see put_answer). Valid until the next call. Throws what encoding
  /// and scoring throw.
  const journal::UnitResult& score(std::uint64_t unit);

 private:
  struct WindowScore {
    double nll = 0;
    bool greedy = true;
  };
  void score_batch(const SharedBatch& batch);

  const RequestFile& file_;
  const RequestEncoder& encoder_;
  SharingOptions sharing_;
  ScoreShared score_;
  std::vector<ScoredTokens> windows_;  ///< of all requests, one after the other
  std::vector<WindowScore> window_scores_;
  model::ops::OwnedPredictionScores scores_, further_scores_;
  journal::UnitResult result_;
};

}  // namespace chainrule::pipeline::evaluate::requests
