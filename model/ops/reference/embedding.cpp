#include "model/ops/embedding.h"

#include <vector>

namespace chainrule::model::ops {

void reference(const EmbeddingForward& op) {
  const std::vector<std::int64_t> positions = positions_of(op.batch);
  for (std::int64_t r = 0; r < op.batch.rows(); ++r) {
    const float* token = op.token_embedding + op.batch.inputs[r] * op.width;
    for (std::int64_t c = 0; c < op.width; ++c) op.output[r * op.width + c] = token[c];
    if (op.position_embedding == nullptr) continue;
    const float* position = op.position_embedding + positions[r] * op.width;
    for (std::int64_t c = 0; c < op.width; ++c) op.output[r * op.width + c] += position[c];
  }
}

void reference(const EmbeddingBackward& op) {
  const std::vector<std::int64_t> positions = positions_of(op.batch);
  for (std::int64_t r = 0; r < op.batch.rows(); ++r) {
    float* token = op.token_gradient + op.batch.inputs[r] * op.width;
    for (std::int64_t c = 0; c < op.width; ++c) token[c] += op.gradient[r * op.width + c];
    if (op.position_gradient == nullptr) continue;
    float* position = op.position_gradient + positions[r] * op.width;
    for (std::int64_t c = 0; c < op.width; ++c) position[c] += op.gradient[r * op.width + c];
  }
}

void reference(const EmbeddingStep& op) {
  for (std::size_t r = 0; r < op.rows.size(); ++r) {
    for (std::int64_t c = 0; c < op.width; ++c) {
      op.output[r * op.width + c] = op.token_embedding[op.rows[r].token * op.width + c];
      if (op.position_embedding == nullptr) continue;
      op.output[r * op.width + c] += op.position_embedding[op.rows[r].position * op.width + c];
    }
  }
}

}  // namespace chainrule::model::ops
