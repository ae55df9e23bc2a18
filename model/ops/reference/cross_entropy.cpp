#include <algorithm>
#include <cmath>

#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {
namespace {

double log_sum_exp_of(const float* logits, std::int64_t vocabulary) {
  const double largest = *std::max_element(logits, logits + vocabulary);
  double sum = 0;
  for (std::int64_t v = 0; v < vocabulary; ++v) sum += std::exp(logits[v] - largest);
  return largest + std::log(sum);
}

}  // namespace

void ReferenceOps::cross_entropy_forward(const float* logits, std::int64_t stride, const std::uint32_t* targets,
                                         std::int64_t rows, std::int64_t vocabulary, double* nll) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * stride;
    nll[r] = targets[r] == kNotScored ? 0.0 : log_sum_exp_of(row, vocabulary) - row[targets[r]];
  }
}

void ReferenceOps::cross_entropy_backward(float* logits, std::int64_t stride, const std::uint32_t* targets,
                                          std::int64_t rows, std::int64_t vocabulary, double* nll) {
  cross_entropy_forward(logits, stride, targets, rows, vocabulary, nll);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = logits + r * stride;
    if (targets[r] == kNotScored) {
      std::fill_n(row, vocabulary, 0.0F);
      continue;
    }
    const double log_sum_exp = log_sum_exp_of(row, vocabulary);
    for (std::int64_t v = 0; v < vocabulary; ++v) {
      const double one_hot = v == static_cast<std::int64_t>(targets[r]) ? 1.0 : 0.0;
      row[v] = static_cast<float>(std::exp(row[v] - log_sum_exp) - one_hot);
    }
  }
}

}  // namespace chainrule::model::ops
