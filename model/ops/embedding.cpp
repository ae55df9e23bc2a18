#include "model/ops/embedding.h"

#include <algorithm>

#include "model/ops/workspace.h"

namespace chainrule::model::ops {
void fast(Workspace& workspace, const EmbeddingForward& op) {
  const std::span<const std::int64_t> positions = workspace.positions_of(op.batch);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.batch.rows(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const float* token = op.token_embedding + std::int64_t{op.batch.inputs[at]} * op.width;
    const float* position = op.position_embedding + positions[at] * op.width;
    float* to = op.output + row * op.width;
    for (std::int64_t i = 0; i < op.width; ++i) to[i] = token[i] + position[i];
  }
}

void fast(Workspace& workspace, const EmbeddingBackward& op) {
  const std::span<const std::int64_t> positions = workspace.positions_of(op.batch);
  constexpr std::int64_t kColumns = 64;
  // Threads share out columns, so that equal tokens are added in row order by one thread.
#pragma omp parallel for schedule(static)
  for (std::int64_t column = 0; column < op.width; column += kColumns) {
    const std::int64_t count = std::min(kColumns, op.width - column);
    for (std::int64_t row = 0; row < op.batch.rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const float* from = op.gradient + row * op.width + column;
      float* token = op.token_gradient + std::int64_t{op.batch.inputs[at]} * op.width + column;
      float* position = op.position_gradient + positions[at] * op.width + column;
      for (std::int64_t i = 0; i < count; ++i) {
        token[i] += from[i];
        position[i] += from[i];
      }
    }
  }
}

void fast(Workspace& /*workspace*/, const EmbeddingStep& op) {
  for (std::size_t r = 0; r < op.rows.size(); ++r) {
    const float* token = op.token_embedding + std::int64_t{op.rows[r].token} * op.width;
    const float* position = op.position_embedding + op.rows[r].position * op.width;
    float* to = op.output + static_cast<std::int64_t>(r) * op.width;
    for (std::int64_t i = 0; i < op.width; ++i) to[i] = token[i] + position[i];
  }
}

}  // namespace chainrule::model::ops
