#include "model/ops/swiglu.h"

#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

CHAINRULE_MULTIVERSION
void forward_row(const float* x, std::int64_t width, float* output) {
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float gate = x[i];
    output[i] = gate / (1.0F + simd::exponential(-gate)) * x[i + width];
  }
}

CHAINRULE_MULTIVERSION
void backward_row(const float* x, const float* output_gradient, std::int64_t width, float* x_gradient, float* output) {
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float gate = x[i];
    const float up = x[i + width];
    const float dy = output_gradient[i];
    const float sigmoid = 1.0F / (1.0F + simd::exponential(-gate));
    const float silu = gate * sigmoid;
    output[i] = silu * up;
    x_gradient[i] = dy * up * (sigmoid + silu * (1.0F - sigmoid));
    x_gradient[i + width] = dy * silu;
  }
}

}  // namespace

void fast(Workspace& /*workspace*/, const SwigluForward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    forward_row(op.x + row * 2 * op.width, op.width, op.output + row * op.width);
  }
}

void fast(Workspace& /*workspace*/, const SwigluBackward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    backward_row(op.x + row * 2 * op.width, op.output_gradient + row * op.width, op.width,
                 op.x_gradient + row * 2 * op.width, op.output + row * op.width);
  }
}

}  // namespace chainrule::model::ops
