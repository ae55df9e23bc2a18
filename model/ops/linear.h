#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = x * weight^T + bias.
struct LinearForward {
  static constexpr OpKind kKind = OpKind::linear_forward;
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* x = nullptr;        ///< [rows, in]
  const float* weight = nullptr;   ///< [out, in]
  const float* bias = nullptr;     ///< [out], may be null
  float* output = nullptr;         ///< [rows, out]
  std::int64_t output_stride = 0;  ///< elements between rows of output
  bool accumulate = false;         ///< adds to output
};
void fast(Workspace& workspace, const LinearForward& op);
void reference(const LinearForward& op);

/// x_gradient = output_gradient * weight.
struct LinearBackwardInput {
  static constexpr OpKind kKind = OpKind::linear_backward_input;
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* output_gradient = nullptr;   ///< [rows, out]
  std::int64_t output_gradient_stride = 0;  ///< elements between its rows
  const float* weight = nullptr;            ///< [out, in]
  float* x_gradient = nullptr;              ///< [rows, in]
  bool accumulate = false;                  ///< adds to x_gradient
};
void fast(Workspace& workspace, const LinearBackwardInput& op);
void reference(const LinearBackwardInput& op);

/// weight_gradient = output_gradient^T * x; adds the column sums of output_gradient to bias_gradient.
struct LinearBackwardWeight {
  static constexpr OpKind kKind = OpKind::linear_backward_weight;
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* output_gradient = nullptr;   ///< [rows, out]
  std::int64_t output_gradient_stride = 0;  ///< elements between its rows
  const float* x = nullptr;                 ///< [rows, in]
  float* weight_gradient = nullptr;         ///< [out, in]
  float* bias_gradient = nullptr;           ///< [out], may be null
  bool accumulate = false;                  ///< adds to weight_gradient
};
void fast(Workspace& workspace, const LinearBackwardWeight& op);
void reference(const LinearBackwardWeight& op);

}  // namespace chainrule::model::ops
