#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {

void ReferenceOps::linear_forward(const float* x, const float* weight, const float* bias, std::int64_t rows,
                                  std::int64_t in, std::int64_t out, float* output, std::int64_t output_stride,
                                  bool accumulate) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t o = 0; o < out; ++o) {
      float& result = output[r * output_stride + o];
      double sum = accumulate ? result : 0.0;
      if (bias != nullptr) sum += bias[o];
      for (std::int64_t i = 0; i < in; ++i) sum += static_cast<double>(x[r * in + i]) * weight[o * in + i];
      result = static_cast<float>(sum);
    }
  }
}

void ReferenceOps::linear_backward_input(const float* output_gradient, std::int64_t output_stride, const float* weight,
                                         std::int64_t rows, std::int64_t in, std::int64_t out, float* x_gradient,
                                         bool accumulate) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < in; ++i) {
      float& result = x_gradient[r * in + i];
      double sum = accumulate ? result : 0.0;
      for (std::int64_t o = 0; o < out; ++o) {
        sum += static_cast<double>(output_gradient[r * output_stride + o]) * weight[o * in + i];
      }
      result = static_cast<float>(sum);
    }
  }
}

void ReferenceOps::linear_backward_weight(const float* output_gradient, std::int64_t output_stride, const float* x,
                                          std::int64_t rows, std::int64_t in, std::int64_t out, float* weight_gradient,
                                          float* bias_gradient, bool accumulate) {
  for (std::int64_t o = 0; o < out; ++o) {
    for (std::int64_t i = 0; i < in; ++i) {
      double sum = accumulate ? weight_gradient[o * in + i] : 0.0;
      for (std::int64_t r = 0; r < rows; ++r) {
        sum += static_cast<double>(output_gradient[r * output_stride + o]) * x[r * in + i];
      }
      weight_gradient[o * in + i] = static_cast<float>(sum);
    }
    if (bias_gradient == nullptr) continue;
    double sum = bias_gradient[o];
    for (std::int64_t r = 0; r < rows; ++r) sum += output_gradient[r * output_stride + o];
    bias_gradient[o] = static_cast<float>(sum);
  }
}

}  // namespace chainrule::model::ops
