#include <algorithm>
#include <cmath>
#include <vector>

#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {

void ReferenceOps::embedding_step(std::span<const StepRow> rows, const float* token_embedding,
                                  const float* position_embedding, std::int64_t width, float* output) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t c = 0; c < width; ++c) {
      output[r * width + c] =
          token_embedding[rows[r].token * width + c] + position_embedding[rows[r].position * width + c];
    }
  }
}

void ReferenceOps::cache_write(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                               float* cache) {
  const std::int64_t d = shape.attention.head_width;
  const std::int64_t width = shape.attention.width();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t h = 0; h < shape.attention.heads; ++h) {
      for (std::int64_t i = 0; i < d; ++i) {
        const std::int64_t key = shape.keys(rows[r].slot, h) + rows[r].position * d + i;
        cache[key] = query_key_value[r * 3 * width + width + h * d + i];
        cache[key + shape.value_offset()] = query_key_value[r * 3 * width + 2 * width + h * d + i];
      }
    }
  }
}

void ReferenceOps::attention_step(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                                  const float* cache, float* output) {
  const std::int64_t d = shape.attention.head_width;
  const std::int64_t width = shape.attention.width();
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t h = 0; h < shape.attention.heads; ++h) {
      const float* query = query_key_value + r * 3 * width + h * d;
      const float* keys = cache + shape.keys(rows[r].slot, h);
      const float* values = keys + shape.value_offset();
      std::vector<double> scores(rows[r].position + 1, 0.0);
      for (std::size_t k = 0; k < scores.size(); ++k) {
        for (std::int64_t i = 0; i < d; ++i) scores[k] += scale * query[i] * keys[k * d + i];
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      std::vector<double> mixed(d, 0.0);
      for (std::size_t k = 0; k < scores.size(); ++k) {
        const double weight = std::exp(scores[k] - largest);
        sum += weight;
        for (std::int64_t i = 0; i < d; ++i) mixed[i] += weight * values[k * d + i];
      }
      for (std::int64_t i = 0; i < d; ++i) output[r * width + h * d + i] = static_cast<float>(mixed[i] / sum);
    }
  }
}

}  // namespace chainrule::model::ops
