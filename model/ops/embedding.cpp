#include <algorithm>

#include "model/ops/fast_ops.h"

namespace chainrule::model::ops {
namespace {

void positions_of(const Batch& batch, std::vector<std::int64_t>& positions) {
  positions.assign(batch.inputs.size(), 0);
  for (const Sequence& sequence : batch.sequences) {
    for (std::int64_t i = 0; i < sequence.rows; ++i) positions[static_cast<std::size_t>(sequence.first_row + i)] = i;
  }
}

}  // namespace

void FastOps::embedding_forward(const Batch& batch, const float* token_embedding, const float* position_embedding,
                                std::int64_t width, float* output) {
  positions_of(batch, positions_);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const float* token = token_embedding + std::int64_t{batch.inputs[at]} * width;
    const float* position = position_embedding + positions_[at] * width;
    float* to = output + row * width;
    for (std::int64_t i = 0; i < width; ++i) to[i] = token[i] + position[i];
  }
}

void FastOps::embedding_backward(const Batch& batch, const float* gradient, std::int64_t width, float* token_gradient,
                                 float* position_gradient) {
  positions_of(batch, positions_);
  constexpr std::int64_t kColumns = 64;
  // Threads share out columns, so that equal tokens are added in row order by one thread.
#pragma omp parallel for schedule(static)
  for (std::int64_t column = 0; column < width; column += kColumns) {
    const std::int64_t count = std::min(kColumns, width - column);
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const float* from = gradient + row * width + column;
      float* token = token_gradient + std::int64_t{batch.inputs[at]} * width + column;
      float* position = position_gradient + positions_[at] * width + column;
      for (std::int64_t i = 0; i < count; ++i) {
        token[i] += from[i];
        position[i] += from[i];
      }
    }
  }
}

}  // namespace chainrule::model::ops
