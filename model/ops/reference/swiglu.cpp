#include "model/ops/swiglu.h"

#include <cmath>

namespace chainrule::model::ops {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

void reference(const SwigluForward& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t c = 0; c < op.width; ++c) {
      const double gate = op.x[r * 2 * op.width + c];
      const double up = op.x[r * 2 * op.width + op.width + c];
      op.output[r * op.width + c] = static_cast<float>(gate * sigmoid(gate) * up);
    }
  }
}

// silu'(v) = s (1 + v (1 - s)) with s = sigmoid(v).
void reference(const SwigluBackward& op) {
  reference(SwigluForward{.rows = op.rows, .width = op.width, .x = op.x, .output = op.output});
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t c = 0; c < op.width; ++c) {
      const std::int64_t at = r * 2 * op.width + c;
      const double gate = op.x[at];
      const double up = op.x[at + op.width];
      const double dy = op.output_gradient[r * op.width + c];
      const double s = sigmoid(gate);
      op.x_gradient[at] = static_cast<float>(dy * up * s * (1.0 + gate * (1.0 - s)));
      op.x_gradient[at + op.width] = static_cast<float>(dy * gate * s);
    }
  }
}

}  // namespace chainrule::model::ops
