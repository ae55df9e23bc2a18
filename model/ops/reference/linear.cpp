#include "model/ops/linear.h"

namespace chainrule::model::ops {

void reference(const LinearForward& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t o = 0; o < op.out; ++o) {
      float& result = op.output[r * op.output_stride + o];
      double sum = op.accumulate ? result : 0.0;
      if (op.bias != nullptr) sum += op.bias[o];
      for (std::int64_t i = 0; i < op.in; ++i)
        sum += static_cast<double>(op.x[r * op.in + i]) * op.weight[o * op.in + i];
      result = static_cast<float>(sum);
    }
  }
}

void reference(const LinearBackwardInput& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t i = 0; i < op.in; ++i) {
      float& result = op.x_gradient[r * op.in + i];
      double sum = op.accumulate ? result : 0.0;
      for (std::int64_t o = 0; o < op.out; ++o) {
        sum += static_cast<double>(op.output_gradient[r * op.output_gradient_stride + o]) * op.weight[o * op.in + i];
      }
      result = static_cast<float>(sum);
    }
  }
}

void reference(const LinearBackwardWeight& op) {
  for (std::int64_t o = 0; o < op.out; ++o) {
    for (std::int64_t i = 0; i < op.in; ++i) {
      double sum = op.accumulate ? op.weight_gradient[o * op.in + i] : 0.0;
      for (std::int64_t r = 0; r < op.rows; ++r) {
        sum += static_cast<double>(op.output_gradient[r * op.output_gradient_stride + o]) * op.x[r * op.in + i];
      }
      op.weight_gradient[o * op.in + i] = static_cast<float>(sum);
    }
    if (op.bias_gradient == nullptr) continue;
    double sum = op.bias_gradient[o];
    for (std::int64_t r = 0; r < op.rows; ++r) sum += op.output_gradient[r * op.output_gradient_stride + o];
    op.bias_gradient[o] = static_cast<float>(sum);
  }
}

}  // namespace chainrule::model::ops
