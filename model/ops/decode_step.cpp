// The operations of a decode step. Few rows meet long caches, so threads share out (row, head) pairs and each streams
// one head's keys and values.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/ops/fast_ops.h"
#include "model/ops/softmax.h"
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

void FastOps::embedding_step(std::span<const StepRow> rows, const float* token_embedding,
                             const float* position_embedding, std::int64_t width, float* output) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* token = token_embedding + std::int64_t{rows[r].token} * width;
    const float* position = position_embedding + rows[r].position * width;
    float* to = output + static_cast<std::int64_t>(r) * width;
    for (std::int64_t i = 0; i < width; ++i) to[i] = token[i] + position[i];
  }
}

void FastOps::cache_write(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                          float* cache) {
  const std::int64_t d = shape.attention.head_width;
  const std::int64_t width = shape.attention.width();
  const auto bytes = static_cast<std::size_t>(d) * sizeof(float);
  const auto count = static_cast<std::int64_t>(rows.size());
#pragma omp parallel for schedule(static) if (count > 16)
  for (std::int64_t r = 0; r < count; ++r) {
    const StepRow& row = rows[static_cast<std::size_t>(r)];
    for (std::int64_t h = 0; h < shape.attention.heads; ++h) {
      const float* key = query_key_value + r * 3 * width + width + h * d;
      float* to = cache + shape.keys(row.slot, h) + row.position * d;
      std::memcpy(to, key, bytes);
      std::memcpy(to + shape.value_offset(), key + width, bytes);
    }
  }
}

void FastOps::attention_step(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                             const float* cache, float* output) {
  const std::int64_t heads = shape.attention.heads;
  const std::int64_t d = shape.attention.head_width;
  const std::int64_t width = shape.attention.width();
  const float score_scale = 1.0F / std::sqrt(static_cast<float>(d));
  reserve_per_thread(shape.capacity);
  const auto count = static_cast<std::int64_t>(rows.size()) * heads;
#pragma omp parallel for schedule(static)
  for (std::int64_t item = 0; item < count; ++item) {
    const std::int64_t r = item / heads;
    const std::int64_t h = item % heads;
    const StepRow& row = rows[static_cast<std::size_t>(r)];
    const float* keys = cache + shape.keys(row.slot, h);
    attend(query_key_value + r * 3 * width + h * d, keys, keys + shape.value_offset(), row.position + 1, d, score_scale,
           thread_memory_[static_cast<std::size_t>(omp_get_thread_num())].data(), output + r * width + h * d);
  }
}

}  // namespace chainrule::model::ops
