#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = silu(gate) * up, where silu(v) = v / (1 + e^-v) and a row of x is gate and up side by side. Shazeer 2020.
struct SwigluForward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t rows = 0;
  std::int64_t width = 0;    ///< of the output
  const float* x = nullptr;  ///< [rows, 2 width]
  float* output = nullptr;   ///< [rows, width]
};
void fast(Workspace& workspace, const SwigluForward& op);
void reference(const SwigluForward& op);

/// The gradient of x from that of the output; the output beside it, which backward needs as well.
struct SwigluBackward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t rows = 0;
  std::int64_t width = 0;                  ///< of the output
  const float* x = nullptr;                ///< [rows, 2 width]
  const float* output_gradient = nullptr;  ///< [rows, width]
  float* x_gradient = nullptr;             ///< [rows, 2 width]
  float* output = nullptr;                 ///< [rows, width]
};
void fast(Workspace& workspace, const SwigluBackward& op);
void reference(const SwigluBackward& op);

}  // namespace chainrule::model::ops
