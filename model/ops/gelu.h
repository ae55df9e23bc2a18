#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = gelu(x), the tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks, Gimpel 2016.
struct GeluForward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t count = 0;
  const float* x = nullptr;  ///< [count]
  float* output = nullptr;   ///< [count], may be x
};
void fast(Workspace& workspace, const GeluForward& op);
void reference(const GeluForward& op);

/// gradient *= gelu'(x); output = gelu(x) beside it, which backward needs as well.
struct GeluBackward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t count = 0;
  const float* x = nullptr;   ///< [count]
  float* gradient = nullptr;  ///< [count], of the output before, of x after
  float* output = nullptr;    ///< [count]
};
void fast(Workspace& workspace, const GeluBackward& op);
void reference(const GeluBackward& op);

}  // namespace chainrule::model::ops
