#include "model/ops/prediction_scores.h"

#include <algorithm>
#include <cmath>

#include "model/ops/expectation.h"
#include "model/ops/softmax.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// Keeps the exponentials that cross-entropy only sums, and sums them in the same order.
CHAINRULE_MULTIVERSION
float exponentials_of(const float* logits, float shift, std::int64_t count, float* exponentials) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    const float e = simd::exponential(logits[i] - shift);
    exponentials[i] = e;
    sum += e;
  }
  return sum;
}

CHAINRULE_MULTIVERSION
void sum_expectation_of(const float* logits, const float* exponentials, float shift, std::int64_t count,
                        ExpectationSums* sums) {
  *sums = sum_expectation(logits, exponentials, shift, count);
}

/// How many of the first `before` logits are at least the target's, and of the others larger.
CHAINRULE_MULTIVERSION
std::int32_t count_likelier(const float* logits, float target, std::int64_t before, std::int64_t count) {
  std::int32_t likelier = 0;
#pragma omp simd reduction(+ : likelier)
  for (std::int64_t i = 0; i < before; ++i) likelier += logits[i] >= target ? 1 : 0;
#pragma omp simd reduction(+ : likelier)
  for (std::int64_t i = before; i < count; ++i) likelier += logits[i] > target ? 1 : 0;
  return likelier;
}

/// Calls piece(first, count) for a row's pieces; each is still in the nearest cache when a second loop goes over it.
template <typename Piece>
void for_each_piece(std::int64_t vocabulary, const Piece& piece) {
  for (std::int64_t first = 0; first < vocabulary; first += kSoftmaxPiece) {
    piece(first, std::min(kSoftmaxPiece, vocabulary - first));
  }
}

struct Ranked {
  float largest;
  std::uint32_t rank;
};

Ranked rank_of(const float* logits, std::int64_t vocabulary, std::int64_t target) {
  Ranked ranked{logits[0], 0};
  for_each_piece(vocabulary, [&](std::int64_t first, std::int64_t count) {
    const std::int64_t before = std::clamp<std::int64_t>(target - first, 0, count);
    ranked.largest = std::max(ranked.largest, largest(logits + first, count));
    ranked.rank += static_cast<std::uint32_t>(count_likelier(logits + first, logits[target], before, count));
  });
  return ranked;
}

struct RowSums {
  double cross_entropy = 0;  // of exponentials, in the order of cross-entropy
  double mass = 0;           // the same in lanes
  double weighted = 0;
};

RowSums sums_of(const float* logits, float shift, std::int64_t vocabulary) {
  RowSums sums;
  float exponentials[kSoftmaxPiece];
  for_each_piece(vocabulary, [&](std::int64_t first, std::int64_t count) {
    ExpectationSums piece;
    sums.cross_entropy += exponentials_of(logits + first, shift, count, exponentials);
    sum_expectation_of(logits + first, exponentials, shift, count, &piece);
    sums.mass += piece.mass;
    sums.weighted += piece.weighted;
  });
  return sums;
}

void score_row(const float* logits, std::int64_t vocabulary, std::uint32_t target, std::size_t row,
               const PredictionScores& scores) {
  const auto [shift, rank] = rank_of(logits, vocabulary, target);
  const RowSums sums = sums_of(logits, shift, vocabulary);
  scores.nll[row] = cross_entropy_of(sums.cross_entropy, shift, logits[target]);
  if (!std::isfinite(scores.nll[row])) return scores.set_not_finite(row, vocabulary);
  // Both terms of the entropy are at least 0: nothing cancels.
  scores.set(row, static_cast<float>(std::log(sums.mass) - sums.weighted / sums.mass),
             static_cast<float>(1.0 / sums.mass), rank);
}

}  // namespace

void fast(Workspace& /*workspace*/, const ScorePredictions& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    if (op.targets[r] == kNotScored) {
      op.scores.nll[row] = 0;
      op.scores.set(row, 0, 0, 0);
    } else {
      score_row(op.logits + r * op.stride, op.vocabulary, op.targets[r], row, op.scores);
    }
  }
}

}  // namespace chainrule::model::ops
