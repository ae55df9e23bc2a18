#include <cmath>
#include <numbers>

#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {
namespace {

const double kScale = std::sqrt(2.0 / std::numbers::pi);
constexpr double kCubic = 0.044715;

}  // namespace

void ReferenceOps::gelu_forward(const float* x, std::int64_t count, float* output) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double v = x[i];
    output[i] = static_cast<float>(0.5 * v * (1.0 + std::tanh(kScale * (v + kCubic * v * v * v))));
  }
}

void ReferenceOps::gelu_backward(const float* x, std::int64_t count, float* gradient, float* output) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double v = x[i];
    const double t = std::tanh(kScale * (v + kCubic * v * v * v));
    const double inner_derivative = kScale * (1.0 + 3.0 * kCubic * v * v);
    const double derivative = 0.5 * (1.0 + t) + 0.5 * v * (1.0 - t * t) * inner_derivative;
    output[i] = static_cast<float>(0.5 * v * (1.0 + t));
    gradient[i] = static_cast<float>(gradient[i] * derivative);
  }
}

}  // namespace chainrule::model::ops
