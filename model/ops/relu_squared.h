#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = max(x, 0)^2. So et al. 2021 (Primer).
struct ReluSquaredForward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t count = 0;
  const float* x = nullptr;  ///< [count]
  float* output = nullptr;   ///< [count], may be x
};
void fast(Workspace& workspace, const ReluSquaredForward& op);
void reference(const ReluSquaredForward& op);

/// gradient *= 2 max(x, 0); output = max(x, 0)^2 beside it, which backward needs as well.
struct ReluSquaredBackward {
  static constexpr OpKind kKind = OpKind::activation;
  std::int64_t count = 0;
  const float* x = nullptr;   ///< [count]
  float* gradient = nullptr;  ///< [count], of the output before, of x after
  float* output = nullptr;    ///< [count]
};
void fast(Workspace& workspace, const ReluSquaredBackward& op);
void reference(const ReluSquaredBackward& op);

}  // namespace chainrule::model::ops
