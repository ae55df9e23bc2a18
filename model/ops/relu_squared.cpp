#include "model/ops/relu_squared.h"

namespace chainrule::model::ops {

void fast(Workspace& /*workspace*/, const ReluSquaredForward& op) {
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < op.count; ++i) {
    const float v = op.x[i] > 0 ? op.x[i] : 0.0F;
    op.output[i] = v * v;
  }
}

void fast(Workspace& /*workspace*/, const ReluSquaredBackward& op) {
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < op.count; ++i) {
    const float v = op.x[i] > 0 ? op.x[i] : 0.0F;
    op.output[i] = v * v;
    op.gradient[i] *= 2 * v;
  }
}

}  // namespace chainrule::model::ops
