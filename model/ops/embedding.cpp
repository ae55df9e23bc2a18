#include "model/ops/embedding.h"

#include <algorithm>

#include "model/ops/workspace.h"

namespace chainrule::model::ops {
namespace {

/// position: null where positions are not learned.
void add_rows(const float* token, const float* position, std::int64_t width, float* to) {
  if (position == nullptr) {
    std::copy_n(token, width, to);
  } else {
    for (std::int64_t i = 0; i < width; ++i) to[i] = token[i] + position[i];
  }
}

const float* row_of(const float* embedding, std::int64_t row, std::int64_t width) {
  return embedding == nullptr ? nullptr : embedding + row * width;
}

}  // namespace

void fast(Workspace& /*workspace*/, const EmbeddingForward& op) {
  const std::vector<std::int64_t> positions = positions_of(op.batch);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.batch.rows(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    add_rows(row_of(op.token_embedding, op.batch.inputs[at], op.width),
             row_of(op.position_embedding, positions[at], op.width), op.width, op.output + row * op.width);
  }
}

void fast(Workspace& /*workspace*/, const EmbeddingBackward& op) {
  const std::vector<std::int64_t> positions = positions_of(op.batch);
  constexpr std::int64_t kColumns = 64;
  // Threads share out columns, so that equal tokens are added in row order by one thread.
#pragma omp parallel for schedule(static)
  for (std::int64_t column = 0; column < op.width; column += kColumns) {
    const std::int64_t count = std::min(kColumns, op.width - column);
    for (std::int64_t row = 0; row < op.batch.rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const float* from = op.gradient + row * op.width + column;
      float* token = op.token_gradient + std::int64_t{op.batch.inputs[at]} * op.width + column;
      for (std::int64_t i = 0; i < count; ++i) token[i] += from[i];
      if (op.position_gradient == nullptr) continue;
      float* position = op.position_gradient + positions[at] * op.width + column;
      for (std::int64_t i = 0; i < count; ++i) position[i] += from[i];
    }
  }
}

void fast(Workspace& /*workspace*/, const EmbeddingStep& op) {
  for (std::size_t r = 0; r < op.rows.size(); ++r) {
    add_rows(row_of(op.token_embedding, op.rows[r].token, op.width),
             row_of(op.position_embedding, op.rows[r].position, op.width), op.width,
             op.output + static_cast<std::int64_t>(r) * op.width);
  }
}

}  // namespace chainrule::model::ops
