#include <vector>

#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {
namespace {

/// Position of each row in its sequence; 0 for padding.
std::vector<std::int64_t> positions_of(const Batch& batch) {
  std::vector<std::int64_t> positions(batch.inputs.size(), 0);
  for (const Sequence& sequence : batch.sequences) {
    for (std::int64_t t = 0; t < sequence.rows; ++t) positions[sequence.first_row + t] = t;
  }
  return positions;
}

}  // namespace

void ReferenceOps::embedding_forward(const Batch& batch, const float* token_embedding, const float* position_embedding,
                                     std::int64_t width, float* output) {
  const std::vector<std::int64_t> positions = positions_of(batch);
  for (std::int64_t r = 0; r < batch.rows(); ++r) {
    const float* token = token_embedding + batch.inputs[r] * width;
    const float* position = position_embedding + positions[r] * width;
    for (std::int64_t c = 0; c < width; ++c) output[r * width + c] = token[c] + position[c];
  }
}

void ReferenceOps::embedding_backward(const Batch& batch, const float* gradient, std::int64_t width,
                                      float* token_gradient, float* position_gradient) {
  const std::vector<std::int64_t> positions = positions_of(batch);
  for (std::int64_t r = 0; r < batch.rows(); ++r) {
    float* token = token_gradient + batch.inputs[r] * width;
    float* position = position_gradient + positions[r] * width;
    for (std::int64_t c = 0; c < width; ++c) {
      token[c] += gradient[r * width + c];
      position[c] += gradient[r * width + c];
    }
  }
}

}  // namespace chainrule::model::ops
