// The operations of a decode step. Few rows meet long caches, so threads share out (row, head) pairs and each streams
// one head's keys and values.
#include "model/ops/attention_step.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/ops/softmax.h"
#include "model/ops/workspace.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// scores [count] = query . keys.
CHAINRULE_MULTIVERSION
void dot_with_each(const float* query, const float* keys, std::int64_t count, std::int64_t d, float* scores) {
  for (std::int64_t k = 0; k < count; ++k) {
    const float* key = keys + k * d;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) sum += query[i] * key[i];
    scores[k] = sum;
  }
}

/// output [d] = sum of the values, weighted.
CHAINRULE_MULTIVERSION
void add_weighted(const float* weights, const float* values, std::int64_t count, std::int64_t d, float* output) {
#pragma omp simd
  for (std::int64_t i = 0; i < d; ++i) output[i] = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const float weight = weights[k];
    const float* value = values + k * d;
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) output[i] += weight * value[i];
  }
}

/// One query over `count` positions: scores [count] is scratch; output [d].
void attend(const float* query, const float* keys, const float* values, std::int64_t count, std::int64_t d,
            float score_scale, float* scores, float* output) {
  dot_with_each(query, keys, count, d, scores);
  const float sum = exponentiate(scores, score_scale, largest(scores, count), count);
  add_weighted(scores, values, count, d, output);
  scale(output, 1.0F / sum, d);
}

}  // namespace

void fast(Workspace& /*workspace*/, const CacheWrite& op) {
  const shape::AttentionShape& attention = op.shape.attention;
  const std::int64_t d = attention.head_width;
  const auto bytes = static_cast<std::size_t>(d) * sizeof(float);
  const auto count = static_cast<std::int64_t>(op.rows.size());
#pragma omp parallel for schedule(static) if (count > 16)
  for (std::int64_t r = 0; r < count; ++r) {
    const StepRow& row = op.rows[static_cast<std::size_t>(r)];
    for (std::int64_t h = 0; h < attention.key_value_heads; ++h) {
      const float* key = op.query_key_value + r * attention.row_width() + attention.query_width() + h * d;
      float* to = op.cache + op.shape.keys(row.slot, h) + row.position * d;
      std::memcpy(to, key, bytes);
      std::memcpy(to + op.shape.value_offset(), key + attention.key_value_width(), bytes);
    }
  }
}

void fast(Workspace& workspace, const AttentionStep& op) {
  const std::int64_t heads = op.shape.attention.heads;
  const std::int64_t d = op.shape.attention.head_width;
  const std::int64_t width = op.shape.attention.query_width();
  const float score_scale = 1.0F / std::sqrt(static_cast<float>(d));
  workspace.reserve_per_thread(op.shape.capacity);
  const auto count = static_cast<std::int64_t>(op.rows.size()) * heads;
#pragma omp parallel for schedule(static)
  for (std::int64_t item = 0; item < count; ++item) {
    const std::int64_t r = item / heads;
    const std::int64_t h = item % heads;
    const StepRow& row = op.rows[static_cast<std::size_t>(r)];
    const std::int64_t first = op.shape.attention.first_position(row.position);
    const float* keys = op.cache + op.shape.keys(row.slot, op.shape.attention.key_value_head(h)) + first * d;
    attend(op.query_key_value + r * op.shape.attention.row_width() + h * d, keys, keys + op.shape.value_offset(),
           row.position + 1 - first, d, score_scale, workspace.thread_memory(), op.output + r * width + h * d);
  }
}

}  // namespace chainrule::model::ops
