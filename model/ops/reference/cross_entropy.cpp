#include "model/ops/cross_entropy.h"

#include <algorithm>
#include <cmath>

namespace chainrule::model::ops {
namespace {

double log_sum_exp_of(const float* logits, std::int64_t vocabulary) {
  const double largest = *std::max_element(logits, logits + vocabulary);
  double sum = 0;
  for (std::int64_t v = 0; v < vocabulary; ++v) sum += std::exp(logits[v] - largest);
  return largest + std::log(sum);
}

}  // namespace

void reference(const CrossEntropyForward& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const float* row = op.logits + r * op.stride;
    op.nll[r] = op.targets[r] == kNotScored ? 0.0 : log_sum_exp_of(row, op.vocabulary) - row[op.targets[r]];
  }
}

void reference(const CrossEntropyBackward& op) {
  reference(CrossEntropyForward{.rows = op.rows,
                                .vocabulary = op.vocabulary,
                                .logits = op.logits,
                                .stride = op.stride,
                                .targets = op.targets,
                                .nll = op.nll});
  for (std::int64_t r = 0; r < op.rows; ++r) {
    float* row = op.logits + r * op.stride;
    if (op.targets[r] == kNotScored) {
      std::fill_n(row, op.vocabulary, 0.0F);
      continue;
    }
    const double log_sum_exp = log_sum_exp_of(row, op.vocabulary);
    for (std::int64_t v = 0; v < op.vocabulary; ++v) {
      const double one_hot = v == static_cast<std::int64_t>(op.targets[r]) ? 1.0 : 0.0;
      const double tangent = op.soft_cap != 0 ? static_cast<double>(row[v]) / op.soft_cap : 0.0;
      const double probability = std::exp(row[v] - log_sum_exp);
      const double gradient = probability - one_hot + 2.0 * op.z_loss * log_sum_exp * probability;
      row[v] = static_cast<float>(gradient * (1.0 - tangent * tangent));
    }
  }
}

}  // namespace chainrule::model::ops
