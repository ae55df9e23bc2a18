#include "model/ops/prediction_divergence.h"

#include <algorithm>
#include <cmath>

#include "model/ops/batch.h"

namespace chainrule::model::ops {
namespace {

/// Natural logarithms of a row's probabilities, one at a time.
class LogProbabilities {
 public:
  LogProbabilities(const float* logits, std::int64_t vocabulary)
      : logits_(logits), largest_(*std::max_element(logits, logits + vocabulary)) {
    double sum = 0;
    for (std::int64_t v = 0; v < vocabulary; ++v) sum += std::exp(logits[v] - largest_);
    log_sum_ = std::log(sum);
  }
  double operator[](std::int64_t v) const { return logits_[v] - largest_ - log_sum_; }

 private:
  const float* logits_;
  double largest_;
  double log_sum_ = 0;
};

void compare_row(const float* logits, const float* baseline, std::int64_t vocabulary, std::size_t row,
                 const PredictionDivergences& divergences) {
  const LogProbabilities model(logits, vocabulary);
  const LogProbabilities other(baseline, vocabulary);
  double kl = 0;
  for (std::int64_t v = 0; v < vocabulary; ++v) {
    const double b = std::exp(other[v]);
    if (b != 0) kl += b * (other[v] - model[v]);  // not 0 times infinity
  }
  // A NaN of the model alone where the baseline has probability 0.
  for (std::int64_t v = 0; v < vocabulary; ++v) {
    if (std::isnan(model[v])) kl = model[v];
  }
  const auto top = [vocabulary](const float* row_logits) {
    return std::max_element(row_logits, row_logits + vocabulary) - row_logits;
  };
  divergences.set(row, kl < 0 ? 0.0 : kl, !std::isnan(kl) && top(logits) == top(baseline));
}

}  // namespace

void reference(const ComparePredictions& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    if (op.targets[r] == kNotScored) {
      op.divergences.set(row, 0, false);
    } else {
      compare_row(op.logits + r * op.stride, op.baseline_logits + r * op.stride, op.vocabulary, row, op.divergences);
    }
  }
}

}  // namespace chainrule::model::ops
