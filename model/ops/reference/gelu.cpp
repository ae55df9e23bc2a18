#include "model/ops/gelu.h"

#include <cmath>
#include <numbers>

namespace chainrule::model::ops {
namespace {

const double kScale = std::sqrt(2.0 / std::numbers::pi);
constexpr double kCubic = 0.044715;

}  // namespace

void reference(const GeluForward& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double v = op.x[i];
    op.output[i] = static_cast<float>(0.5 * v * (1.0 + std::tanh(kScale * (v + kCubic * v * v * v))));
  }
}

void reference(const GeluBackward& op) {
  for (std::int64_t i = 0; i < op.count; ++i) {
    const double v = op.x[i];
    const double t = std::tanh(kScale * (v + kCubic * v * v * v));
    const double inner_derivative = kScale * (1.0 + 3.0 * kCubic * v * v);
    const double derivative = 0.5 * (1.0 + t) + 0.5 * v * (1.0 - t * t) * inner_derivative;
    op.output[i] = static_cast<float>(0.5 * v * (1.0 + t));
    op.gradient[i] = static_cast<float>(op.gradient[i] * derivative);
  }
}

}  // namespace chainrule::model::ops
