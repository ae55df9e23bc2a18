#include "model/ops/cross_entropy.h"

#include <algorithm>

#include "model/ops/softmax.h"
#include "model/ops/workspace.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

CHAINRULE_MULTIVERSION
float sum_of_exponentials(const float* values, float shift, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += simd::exponential(values[i] - shift);
  return sum;
}

/// gradient *= d capped / d logit = 1 - (capped / cap)^2.
CHAINRULE_MULTIVERSION
void soft_cap_backward(const float* capped, float cap, std::int64_t count, float* gradient) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float tangent = capped[i] / cap;
    gradient[i] *= 1.0F - tangent * tangent;
  }
}

}  // namespace

void fast(Workspace& /*workspace*/, const CrossEntropyForward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    op.nll[row] = 0;
    if (op.targets[row] == kNotScored) continue;
    const float* values = op.logits + row * op.stride;
    const float shift = largest(values, op.vocabulary);
    double sum = 0;
    for (std::int64_t at = 0; at < op.vocabulary; at += kSoftmaxPiece) {
      sum += sum_of_exponentials(values + at, shift, std::min(kSoftmaxPiece, op.vocabulary - at));
    }
    op.nll[row] = cross_entropy_of(sum, shift, values[op.targets[row]]);
  }
}

void fast(Workspace& workspace, const CrossEntropyBackward& op) {
  if (op.soft_cap != 0) workspace.reserve_per_thread(op.vocabulary);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    op.nll[row] = 0;
    float* values = op.logits + row * op.stride;
    if (op.targets[row] == kNotScored) {
      std::fill_n(values, op.vocabulary, 0.0F);
      continue;
    }
    const float* capped = nullptr;
    if (op.soft_cap != 0) capped = std::copy_n(values, op.vocabulary, workspace.thread_memory()) - op.vocabulary;
    const float shift = largest(values, op.vocabulary);
    const float target_logit = values[op.targets[row]];
    double sum = 0;
    for (std::int64_t at = 0; at < op.vocabulary; at += kSoftmaxPiece) {
      sum += exponentiate(values + at, 1.0F, shift, std::min(kSoftmaxPiece, op.vocabulary - at));
    }
    // Where z_loss is 0 this is 1 / sum, in every bit.
    const double factor = (1.0 + 2.0 * op.z_loss * log_normaliser_of(sum, shift)) / sum;
    scale(values, static_cast<float>(factor), op.vocabulary);
    values[op.targets[row]] -= 1.0F;
    if (capped != nullptr) soft_cap_backward(capped, op.soft_cap, op.vocabulary, values);
    op.nll[row] = cross_entropy_of(sum, shift, target_logit);
  }
}

}  // namespace chainrule::model::ops
