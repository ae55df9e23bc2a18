#include <algorithm>
#include <cmath>

#include "model/ops/fast_ops.h"
#include "model/ops/softmax.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

constexpr std::int64_t kPiece = 1024;  // terms summed in float32 before they join the double sum

CHAINRULE_MULTIVERSION
float sum_of_exponentials(const float* values, float shift, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += simd::exponential(values[i] - shift);
  return sum;
}

/// A NaN among the logits: the vector maximum may pass it by, but never the sum.
bool usable(double sum) { return std::isfinite(sum) && sum > 0; }

}  // namespace

void FastOps::cross_entropy_forward(const float* logits, std::int64_t stride, const std::uint32_t* targets,
                                    std::int64_t rows, std::int64_t vocabulary, double* nll) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) {
    nll[row] = 0;
    if (targets[row] == kNotScored) continue;
    const float* values = logits + row * stride;
    const float shift = largest(values, vocabulary);
    double sum = 0;
    for (std::int64_t at = 0; at < vocabulary; at += kPiece) {
      sum += sum_of_exponentials(values + at, shift, std::min(kPiece, vocabulary - at));
    }
    nll[row] = std::log(sum) + static_cast<double>(shift) - static_cast<double>(values[targets[row]]);
    if (!usable(sum)) nll[row] = std::nan("");
  }
}

void FastOps::cross_entropy_backward(float* logits, std::int64_t stride, const std::uint32_t* targets,
                                     std::int64_t rows, std::int64_t vocabulary, double* nll) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) {
    nll[row] = 0;
    float* values = logits + row * stride;
    if (targets[row] == kNotScored) {
      std::fill_n(values, vocabulary, 0.0F);
      continue;
    }
    const float shift = largest(values, vocabulary);
    const auto target_logit = static_cast<double>(values[targets[row]]);
    double sum = 0;
    for (std::int64_t at = 0; at < vocabulary; at += kPiece) {
      sum += exponentiate(values + at, 1.0F, shift, std::min(kPiece, vocabulary - at));
    }
    scale(values, static_cast<float>(1.0 / sum), vocabulary);
    values[targets[row]] -= 1.0F;
    nll[row] = std::log(sum) + static_cast<double>(shift) - target_logit;
    if (!usable(sum)) nll[row] = std::nan("");
  }
}

}  // namespace chainrule::model::ops
