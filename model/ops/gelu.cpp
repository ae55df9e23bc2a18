#include "model/ops/gelu.h"

#include <algorithm>

#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

// x/2 (1 + tanh u) = x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3).
constexpr float kTwoRootTwoOverPi = 1.5957691216F;
constexpr float kCubic = 0.044715F;
constexpr std::int64_t kPiece = 16'384;  // elements a thread takes at once

CHAINRULE_MULTIVERSION
void forward(const float* x, std::int64_t count, float* output) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = x[i];
    const float twice_u = kTwoRootTwoOverPi * (v + kCubic * v * v * v);
    output[i] = v / (1.0F + simd::exponential(-twice_u));
  }
}

CHAINRULE_MULTIVERSION
void backward(const float* x, std::int64_t count, float* gradient, float* output) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = x[i];
    const float twice_u = kTwoRootTwoOverPi * (v + kCubic * v * v * v);
    const float sigmoid = 1.0F / (1.0F + simd::exponential(-twice_u));
    const float slope = kTwoRootTwoOverPi * (1.0F + 3.0F * kCubic * v * v);
    output[i] = v * sigmoid;
    gradient[i] *= sigmoid + v * sigmoid * (1.0F - sigmoid) * slope;
  }
}

}  // namespace

void fast(Workspace& /*workspace*/, const GeluForward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t at = 0; at < op.count; at += kPiece)
    forward(op.x + at, std::min(kPiece, op.count - at), op.output + at);
}

void fast(Workspace& /*workspace*/, const GeluBackward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t at = 0; at < op.count; at += kPiece) {
    backward(op.x + at, std::min(kPiece, op.count - at), op.gradient + at, op.output + at);
  }
}

}  // namespace chainrule::model::ops
