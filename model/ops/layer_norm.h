#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = (x - mean) * inverse_deviation * gain + bias per row; variance is over width (not width - 1). Ba, Kiros,
/// Hinton 2016.
struct LayerNormForward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  float epsilon = 0;
  const float* x = nullptr;            ///< [rows, width]
  const float* gain = nullptr;         ///< [width]
  const float* bias = nullptr;         ///< [width], may be null
  float* output = nullptr;             ///< [rows, width]
  float* mean = nullptr;               ///< [rows], written
  float* inverse_deviation = nullptr;  ///< [rows], written
};
void fast(Workspace& workspace, const LayerNormForward& op);
void reference(const LayerNormForward& op);

/// Adds to the gradients of x, gain and bias.
struct LayerNormBackward {
  static constexpr OpKind kKind = OpKind::normalization;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  const float* output_gradient = nullptr;    ///< [rows, width]
  const float* x = nullptr;                  ///< [rows, width]
  const float* gain = nullptr;               ///< [width]
  const float* mean = nullptr;               ///< [rows], of forward
  const float* inverse_deviation = nullptr;  ///< [rows], of forward
  float* x_gradient = nullptr;               ///< [rows, width]
  float* gain_gradient = nullptr;            ///< [width]
  float* bias_gradient = nullptr;            ///< [width], may be null
};
void fast(Workspace& workspace, const LayerNormBackward& op);
void reference(const LayerNormBackward& op);

}  // namespace chainrule::model::ops
