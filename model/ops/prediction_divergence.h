#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// How far a row's distribution P is from that of a baseline B over the same vocabulary. 0 where the target is
/// kNotScored.
struct PredictionDivergences {
  /// [rows] KL(B || P) = sum b (log b - log p) in nats, never below 0; exactly 0 for equal logits; infinite where P
  /// excludes what B does not; NaN where a logit is NaN or +inf, or all of a row are -inf.
  std::span<double> kl;
  std::span<std::uint8_t>
      same_top;  ///< [rows] 1 where both have the same likeliest token, of equal ones the smaller id

  bool have(std::size_t rows) const { return kl.size() == rows && same_top.size() == rows; }
  void set(std::size_t row, double row_kl, bool is_same_top) const {
    kl[row] = row_kl;
    same_top[row] = is_same_top ? 1 : 0;
  }
};

/// What else is asked of a baseline beside a model: the divergences from it, and its nll [rows] of the targets.
struct BaselineScores {
  PredictionDivergences divergences;
  std::span<double> nll;

  bool have(std::size_t rows) const { return divergences.have(rows) && nll.size() == rows; }
};

/// Those that own their rows.
struct OwnedBaselineScores {
  void resize(std::size_t rows) {
    kl.resize(rows);
    same_top.resize(rows);
    nll.resize(rows);
  }
  BaselineScores view() { return {{kl, same_top}, nll}; }

  std::vector<double> kl;
  std::vector<std::uint8_t> same_top;
  std::vector<double> nll;
};

/// Logits of two models -> divergences, in float64. Sums go by 16 lanes.
struct ComparePredictions {
  static constexpr OpKind kKind = OpKind::cross_entropy;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
  const float* logits = nullptr;           ///< [rows, vocabulary]
  const float* baseline_logits = nullptr;  ///< [rows, vocabulary]
  std::int64_t stride = 0;                 ///< elements between rows of either
  const std::uint32_t* targets = nullptr;  ///< [rows]: which rows are scored
  PredictionDivergences divergences;       ///< of at least `rows` rows, the first of which are written
};
void fast(Workspace& workspace, const ComparePredictions& op);
void reference(const ComparePredictions& op);

}  // namespace chainrule::model::ops
