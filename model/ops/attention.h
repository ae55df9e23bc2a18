#pragma once
#include <cstdint>
#include <span>

#include "model/ops/batch.h"
#include "model/ops/op_kind.h"
#include "model/shape/attention_shape.h"

namespace chainrule::model::ops {

class Workspace;

/// Causal self-attention within each sequence, what it continues, and the window. Scores are scaled by
/// 1/sqrt(head_width). Query heads of a group meet the same keys and values (Ainslie et al. 2023).
struct AttentionForward {
  static constexpr OpKind kKind = OpKind::attention_forward;
  std::int64_t rows = 0;
  shape::AttentionShape shape = {};
  std::span<const Sequence> sequences = {};
  const float* query_key_value = nullptr;  ///< [rows, shape.row_width()]
  float* output = nullptr;                 ///< [rows, shape.query_width()], zero in padding rows
  float* log_sum_exp = nullptr;            ///< [heads, rows] of the scaled scores, for backward
};
void fast(Workspace& workspace, const AttentionForward& op);
void reference(const AttentionForward& op);

/// Of sequences that continue no other.
struct AttentionBackward {
  static constexpr OpKind kKind = OpKind::attention_backward;
  std::int64_t rows = 0;
  shape::AttentionShape shape = {};
  std::span<const Sequence> sequences = {};
  const float* output_gradient = nullptr;     ///< [rows, shape.query_width()]
  const float* query_key_value = nullptr;     ///< [rows, shape.row_width()]
  const float* output = nullptr;              ///< [rows, shape.query_width()], of forward
  const float* log_sum_exp = nullptr;         ///< [heads, rows], of forward
  float* query_key_value_gradient = nullptr;  ///< [rows, shape.row_width()], zero in padding rows
};
void fast(Workspace& workspace, const AttentionBackward& op);
void reference(const AttentionBackward& op);

}  // namespace chainrule::model::ops
