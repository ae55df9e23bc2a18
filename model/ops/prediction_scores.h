#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "model/ops/batch.h"
#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// What a model says of each row's target and of the distribution p that predicts it. All are 0 where the target is
/// kNotScored. Where the nll is not finite, entropy and top_probability are NaN and rank is the vocabulary size. It is
/// finite although a logit is -inf: that token has probability 0, unless it is the target.
struct PredictionScores {
  std::span<double> nll;             ///< [rows] -log p(target) in nats
  std::span<float> entropy;          ///< [rows] -sum p log p in nats; within 1e-6 (1 + entropy)
  std::span<float> top_probability;  ///< [rows] the largest p
  /// [rows] how many tokens are likelier than the target: those of a larger logit, and of an equal one and a smaller
  /// id. 0: greedy decoding gives the target.
  std::span<std::uint32_t> rank;

  /// Whether each has that many rows.
  bool have(std::size_t rows) const {
    return nll.size() == rows && entropy.size() == rows && top_probability.size() == rows && rank.size() == rows;
  }
  /// Those of the rows from first on.
  PredictionScores from(std::size_t first) const {
    return {nll.subspan(first), entropy.subspan(first), top_probability.subspan(first), rank.subspan(first)};
  }
  /// Sets the scores of a row but its nll.
  void set(std::size_t row, float row_entropy, float row_top_probability, std::uint32_t row_rank) const {
    entropy[row] = row_entropy;
    top_probability[row] = row_top_probability;
    rank[row] = row_rank;
  }
  /// Those of a row whose nll is not finite.
  void set_not_finite(std::size_t row, std::int64_t vocabulary) const {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    set(row, kNaN, kNaN, static_cast<std::uint32_t>(vocabulary));
  }
};

/// Scores that own their rows.
struct OwnedPredictionScores {
  explicit OwnedPredictionScores(std::size_t rows = 0) { resize(rows); }
  void resize(std::size_t rows) {
    nll.resize(rows);
    entropy.resize(rows);
    top_probability.resize(rows);
    rank.resize(rows);
  }
  PredictionScores view() { return {nll, entropy, top_probability, rank}; }

  std::vector<double> nll;
  std::vector<float> entropy;
  std::vector<float> top_probability;
  std::vector<std::uint32_t> rank;
};

/// Logits -> scores. The nll has the bits that CrossEntropyForward gives it. The others' sums go by 16 lanes, so their
/// bits are the same with AVX2 and AVX-512.
struct ScorePredictions {
  static constexpr OpKind kKind = OpKind::cross_entropy;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
  const float* logits = nullptr;           ///< [rows, vocabulary]
  std::int64_t stride = 0;                 ///< elements between rows of logits
  const std::uint32_t* targets = nullptr;  ///< [rows]
  PredictionScores scores;                 ///< of at least `rows` rows, the first of which are written
};
void fast(Workspace& workspace, const ScorePredictions& op);
void reference(const ScorePredictions& op);

}  // namespace chainrule::model::ops
