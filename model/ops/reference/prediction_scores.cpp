#include "model/ops/prediction_scores.h"

#include <algorithm>
#include <cmath>

#include "model/ops/cross_entropy.h"

namespace chainrule::model::ops {
namespace {

void score_row(const float* logits, std::int64_t vocabulary, std::int64_t target, std::size_t row,
               const PredictionScores& scores) {
  const double largest = *std::max_element(logits, logits + vocabulary);
  double sum = 0;
  double weighted = 0;
  std::uint32_t likelier = 0;
  for (std::int64_t v = 0; v < vocabulary; ++v) {
    const double below = logits[v] - largest;
    const double e = std::exp(below);
    sum += e;
    if (e > 0) weighted += e * below;  // not 0 times minus infinity
    if (logits[v] > logits[target] || (logits[v] == logits[target] && v < target)) ++likelier;
  }
  scores.set(row, static_cast<float>(std::log(sum) - weighted / sum), static_cast<float>(1.0 / sum), likelier);
}

}  // namespace

void reference(const ScorePredictions& op) {
  reference(CrossEntropyForward{.rows = op.rows,
                                .vocabulary = op.vocabulary,
                                .logits = op.logits,
                                .stride = op.stride,
                                .targets = op.targets,
                                .nll = op.scores.nll.data()});
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    if (op.targets[r] == kNotScored) {
      op.scores.set(row, 0, 0, 0);
    } else if (!std::isfinite(op.scores.nll[row])) {
      op.scores.set_not_finite(row, op.vocabulary);
    } else {
      score_row(op.logits + r * op.stride, op.vocabulary, op.targets[r], row, op.scores);
    }
  }
}

}  // namespace chainrule::model::ops
