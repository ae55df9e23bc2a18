#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"
#include "model/shape/attention_shape.h"

namespace chainrule::model::ops {

class Workspace;

/// output = x / sqrt(mean(x^2) + epsilon) * gain per row. Zhang, Sennrich 2019.
struct RmsNormForward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  float epsilon = 0;
  const float* x = nullptr;                   ///< [rows, width]
  const float* gain = nullptr;                ///< [width]
  float* output = nullptr;                    ///< [rows, width]
  float* inverse_root_mean_square = nullptr;  ///< [rows], written
};
void fast(Workspace& workspace, const RmsNormForward& op);
void reference(const RmsNormForward& op);

/// Adds to the gradients of x and gain.
struct RmsNormBackward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  const float* output_gradient = nullptr;           ///< [rows, width]
  const float* x = nullptr;                         ///< [rows, width]
  const float* gain = nullptr;                      ///< [width]
  const float* inverse_root_mean_square = nullptr;  ///< [rows], of forward
  float* x_gradient = nullptr;                      ///< [rows, width]
  float* gain_gradient = nullptr;                   ///< [width]
};
void fast(Workspace& workspace, const RmsNormBackward& op);
void reference(const RmsNormBackward& op);

/// The same of each head of the queries, with one gain, and of the keys, with another; values are copied (QK-norm,
/// Henry et al. 2020, as in Qwen3).
struct QueryKeyNormForward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  shape::AttentionShape shape = {};
  float epsilon = 0;
  const float* query_key_value = nullptr;     ///< [rows, shape.row_width()]
  const float* gain = nullptr;                ///< [2 (queries, keys), head_width]
  float* output = nullptr;                    ///< [rows, shape.row_width()]
  float* inverse_root_mean_square = nullptr;  ///< [rows, heads + key_value_heads], written
};
void fast(Workspace& workspace, const QueryKeyNormForward& op);
void reference(const QueryKeyNormForward& op);

/// Turns the gradient of the output in place into that of query_key_value, and adds to the gain's.
struct QueryKeyNormBackward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  shape::AttentionShape shape = {};
  const float* query_key_value = nullptr;           ///< [rows, shape.row_width()]
  const float* gain = nullptr;                      ///< [2 (queries, keys), head_width]
  const float* inverse_root_mean_square = nullptr;  ///< [rows, heads + key_value_heads], of forward
  float* gradient = nullptr;                        ///< [rows, shape.row_width()]
  float* gain_gradient = nullptr;                   ///< [2 (queries, keys), head_width]
};
void fast(Workspace& workspace, const QueryKeyNormBackward& op);
void reference(const QueryKeyNormBackward& op);

}  // namespace chainrule::model::ops
