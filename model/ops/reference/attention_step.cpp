#include "model/ops/attention_step.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chainrule::model::ops {

void reference(const CacheWrite& op) {
  const shape::AttentionShape& attention = op.shape.attention;
  const std::int64_t d = attention.head_width;
  for (std::size_t r = 0; r < op.rows.size(); ++r) {
    for (std::int64_t h = 0; h < attention.key_value_heads; ++h) {
      for (std::int64_t i = 0; i < d; ++i) {
        const std::int64_t key = op.shape.keys(op.rows[r].slot, h) + op.rows[r].position * d + i;
        const float* from = op.query_key_value + r * attention.row_width() + attention.query_width() + h * d + i;
        op.cache[key] = from[0];
        op.cache[key + op.shape.value_offset()] = from[attention.key_value_width()];
      }
    }
  }
}

void reference(const AttentionStep& op) {
  const std::int64_t d = op.shape.attention.head_width;
  const std::int64_t width = op.shape.attention.query_width();
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  for (std::size_t r = 0; r < op.rows.size(); ++r) {
    for (std::int64_t h = 0; h < op.shape.attention.heads; ++h) {
      const float* query = op.query_key_value + r * op.shape.attention.row_width() + h * d;
      const std::int64_t first = op.shape.attention.first_position(op.rows[r].position);
      const std::int64_t key_head = op.shape.attention.key_value_head(h);
      const float* keys = op.cache + op.shape.keys(op.rows[r].slot, key_head) + first * d;
      const float* values = keys + op.shape.value_offset();
      std::vector<double> scores(op.rows[r].position + 1 - first, 0.0);
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
      for (std::int64_t i = 0; i < d; ++i) op.output[r * width + h * d + i] = static_cast<float>(mixed[i] / sum);
    }
  }
}

}  // namespace chainrule::model::ops
