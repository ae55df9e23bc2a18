#include "model/ops/relu_squared.h"

#include <algorithm>

namespace chainrule::model::ops {

void reference(const ReluSquaredForward& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double v = std::max(op.x[i], 0.0F);
    op.output[i] = static_cast<float>(v * v);
  }
}

void reference(const ReluSquaredBackward& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    op.gradient[i] = static_cast<float>(op.gradient[i] * 2.0 * std::max(op.x[i], 0.0F));
  }
  reference(ReluSquaredForward{.count = op.count, .x = op.x, .output = op.output});
}

}  // namespace chainrule::model::ops
