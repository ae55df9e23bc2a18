#include "model/ops/prediction_divergence.h"

#include <algorithm>
#include <cmath>

#include "model/ops/batch.h"
#include "model/ops/softmax.h"
#include "model/simd/exponential64.h"
#include "model/simd/lanes.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// With e = exp(logit - shift), shift the largest logit: sums of e, and of the baseline's e times how much further it
/// is from its shift than the model's logit is from the model's.
struct DivergenceSums {
  double mass = 0;
  double baseline_mass = 0;
  double weighted = 0;
};

/// Where the baseline has probability 0, 0 times infinity is 0.
CHAINRULE_MULTIVERSION
void sum_divergence(const float* logits, const float* baseline, float shift, float baseline_shift, std::int64_t count,
                    DivergenceSums* sums) {
  const double model_shift = shift;
  const double other_shift = baseline_shift;
  sums->mass = simd::sum_in_lanes<double>(count, [=](std::int64_t i) {
    return simd::exponential_of_negative(static_cast<double>(logits[i]) - model_shift);
  });
  sums->baseline_mass = simd::sum_in_lanes<double>(count, [=](std::int64_t i) {
    return simd::exponential_of_negative(static_cast<double>(baseline[i]) - other_shift);
  });
  sums->weighted = simd::sum_in_lanes<double>(count, [=](std::int64_t i) {
    const double other_below = static_cast<double>(baseline[i]) - other_shift;
    const double e = simd::exponential_of_negative(other_below);
    const double weighted = e * (other_below - (static_cast<double>(logits[i]) - model_shift));
    return e == 0.0 ? 0.0 : weighted;
  });
}

/// The largest of a row and the first place that has it (past the end where NaNs hide it).
struct Top {
  float logit;
  std::int64_t place;
};

Top top_of(const float* logits, std::int64_t vocabulary) {
  const float top = largest(logits, vocabulary);
  return {top, std::find(logits, logits + vocabulary, top) - logits};
}

void compare_row(const float* logits, const float* baseline, std::int64_t vocabulary, std::size_t row,
                 const PredictionDivergences& divergences) {
  const Top top = top_of(logits, vocabulary);
  const Top other = top_of(baseline, vocabulary);
  DivergenceSums sums;
  for (std::int64_t first = 0; first < vocabulary; first += kSoftmaxPiece) {
    DivergenceSums piece;
    sum_divergence(logits + first, baseline + first, top.logit, other.logit,
                   std::min(kSoftmaxPiece, vocabulary - first), &piece);
    sums.mass += piece.mass;
    sums.baseline_mass += piece.baseline_mass;
    sums.weighted += piece.weighted;
  }
  const double kl = sums.weighted / sums.baseline_mass + (std::log(sums.mass) - std::log(sums.baseline_mass));
  divergences.set(row, kl < 0 ? 0.0 : kl, !std::isnan(kl) && top.place == other.place);
}

}  // namespace

void fast(Workspace& /*workspace*/, const ComparePredictions& op) {
#pragma omp parallel for schedule(static)
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
