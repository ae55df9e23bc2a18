// Causal attention by query blocks: a block of queries meets the keys up to its own end, so nothing of size T x T is
// ever held. Backward recomputes the probabilities from the saved log-sum-exp (Dao et al. 2022).
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "model/ops/exponential.h"
#include "model/ops/fast_ops.h"
#include "model/ops/multiversion.h"

namespace chainrule::model {
namespace {

constexpr std::int64_t kQueryBlock = 64;

/// scores [count] -> exp(scores - largest); returns their sum and writes the largest.
CHAINRULE_MULTIVERSION
float softmax_numerators(float* scores, std::int64_t count, float* shift) {
  float largest = scores[0];
#pragma omp simd reduction(max : largest)
  for (std::int64_t i = 0; i < count; ++i) largest = scores[i] > largest ? scores[i] : largest;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    const float e = exponential(scores[i] - largest);
    scores[i] = e;
    sum += e;
  }
  *shift = largest;
  return sum;
}

CHAINRULE_MULTIVERSION
void scale(float* values, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) values[i] *= factor;
}

CHAINRULE_MULTIVERSION
float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// scores -> probabilities exp(scores - log_sum_exp); products -> score gradients p * (products - mean) * factor.
CHAINRULE_MULTIVERSION
void softmax_backward(float* scores, float* products, float log_sum_exp, float mean, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float p = exponential(scores[i] - log_sum_exp);
    scores[i] = p;
    products[i] = p * (products[i] - mean) * factor;
  }
}

/// A product with query rows, head by head, in buffers whose rows lie `stride` apart.
onednn::ProductShape product(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t a_stride,
                             std::int64_t b_stride, std::int64_t c_stride) {
  onednn::ProductShape shape{.m = m, .n = n, .k = k};
  shape.a_stride = a_stride;
  shape.b_stride = b_stride;
  shape.c_stride = c_stride;
  return shape;
}

/// One head of one sequence: where its rows begin and how they are laid out.
struct Head {
  const float* query;
  const float* key;
  const float* value;
  std::int64_t stride;  // between rows of query, key and value
  std::int64_t width;   // of the head
  float score_scale;
};

/// Attention of queries [begin, end) of a sequence. scores [end - begin, end]; output and log_sum_exp at query 0.
void forward_block(const Head& head, std::int64_t begin, std::int64_t end, float* scores, float* output,
                   std::int64_t output_stride, float* log_sum_exp) {
  const std::int64_t queries = end - begin;
  auto to_scores = product(queries, end, head.width, head.stride, head.stride, end);
  to_scores.transpose_b = true;
  onednn::multiply_on_one_thread(to_scores, head.score_scale, head.query + begin * head.stride, head.key, scores);
  float inverse_sum[kQueryBlock];
  for (std::int64_t i = 0; i < queries; ++i) {
    float* row = scores + i * end;
    const std::int64_t visible = begin + i + 1;
    float shift = 0;
    const float sum = softmax_numerators(row, visible, &shift);
    std::fill(row + visible, row + end, 0.0F);
    inverse_sum[i] = 1.0F / sum;
    log_sum_exp[begin + i] = shift + std::log(sum);
  }
  float* to = output + begin * output_stride;
  onednn::multiply_on_one_thread(product(queries, head.width, end, end, head.stride, output_stride), 1.0F, scores,
                                 head.value, to);
  for (std::int64_t i = 0; i < queries; ++i) scale(to + i * output_stride, inverse_sum[i], head.width);
}

/// Gradients of one head of one sequence. Blocks go from the last to the first: the last meets every key and so
/// overwrites the key and value gradients, the others add to them.
void backward_head(const Head& head, std::int64_t rows, const float* output, const float* output_gradient,
                   std::int64_t output_stride, const float* log_sum_exp, float* scores, float* products,
                   float* query_gradient, float* key_gradient, float* value_gradient) {
  const std::int64_t blocks = (rows + kQueryBlock - 1) / kQueryBlock;
  for (std::int64_t block = blocks - 1; block >= 0; --block) {
    const std::int64_t begin = block * kQueryBlock;
    const std::int64_t end = std::min(rows, begin + kQueryBlock);
    const std::int64_t queries = end - begin;
    const float* query = head.query + begin * head.stride;
    const float* gradient = output_gradient + begin * output_stride;
    auto to_scores = product(queries, end, head.width, head.stride, head.stride, end);
    to_scores.transpose_b = true;
    onednn::multiply_on_one_thread(to_scores, head.score_scale, query, head.key, scores);
    to_scores.a_stride = output_stride;
    onednn::multiply_on_one_thread(to_scores, 1.0F, gradient, head.value, products);
    for (std::int64_t i = 0; i < queries; ++i) {
      const std::int64_t row = begin + i;
      const float mean = dot(gradient + i * output_stride, output + row * output_stride, head.width);
      softmax_backward(scores + i * end, products + i * end, log_sum_exp[row], mean, head.score_scale, row + 1);
      std::fill(scores + i * end + row + 1, scores + (i + 1) * end, 0.0F);
      std::fill(products + i * end + row + 1, products + (i + 1) * end, 0.0F);
    }
    onednn::multiply_on_one_thread(product(queries, head.width, end, end, head.stride, head.stride), 1.0F, products,
                                   head.key, query_gradient + begin * head.stride);
    auto to_keys = product(end, head.width, queries, end, head.stride, head.stride);
    to_keys.transpose_a = true;
    to_keys.accumulate = block != blocks - 1;
    onednn::multiply_on_one_thread(to_keys, 1.0F, products, query, key_gradient);
    to_keys.b_stride = output_stride;
    onednn::multiply_on_one_thread(to_keys, 1.0F, scores, gradient, value_gradient);
  }
}

/// Rows that lie in no sequence.
template <typename Zero>
void for_each_gap(std::span<const Sequence> sequences, std::int64_t rows, Zero&& zero) {
  std::int64_t covered = 0;
  for (const Sequence& sequence : sequences) {
    if (sequence.first_row > covered) zero(covered, sequence.first_row);
    covered = sequence.first_row + sequence.rows;
  }
  if (rows > covered) zero(covered, rows);
}

std::int64_t longest(std::span<const Sequence> sequences) {
  std::int64_t rows = 0;
  for (const Sequence& sequence : sequences) rows = std::max(rows, sequence.rows);
  return rows;
}

}  // namespace

void FastOps::reserve_per_thread(std::int64_t elements) {
  thread_memory_.resize(std::max(thread_memory_.size(), static_cast<std::size_t>(omp_get_max_threads())));
  for (auto& each : thread_memory_) {
    if (each.size() < static_cast<std::size_t>(elements)) each.resize(static_cast<std::size_t>(elements));
  }
}

void FastOps::attention_forward(const float* query_key_value, std::span<const Sequence> sequences,
                                const AttentionShape& shape, std::int64_t rows, float* output, float* log_sum_exp) {
  const std::int64_t width = shape.width();
  for_each_gap(sequences, rows, [&](std::int64_t begin, std::int64_t end) {
    std::fill(output + begin * width, output + end * width, 0.0F);
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      std::fill(log_sum_exp + head * rows + begin, log_sum_exp + head * rows + end, 0.0F);
    }
  });
  reserve_per_thread(kQueryBlock * longest(sequences));
  // Work items: (block, head) of every sequence, the longest blocks first so that threads end together.
  struct Item {
    std::int64_t sequence;
    std::int64_t block;
  };
  std::vector<Item> items;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::int64_t blocks = (sequences[s].rows + kQueryBlock - 1) / kQueryBlock;
    for (std::int64_t block = 0; block < blocks; ++block) items.push_back({static_cast<std::int64_t>(s), block});
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.block > b.block; });
  const auto count = static_cast<std::int64_t>(items.size()) * shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Item item = items[static_cast<std::size_t>(i / shape.heads)];
    const std::int64_t h = i % shape.heads;
    const Sequence& sequence = sequences[static_cast<std::size_t>(item.sequence)];
    const float* first = query_key_value + sequence.first_row * 3 * width + h * shape.head_width;
    const Head head{first,     first + width,    first + 2 * width,
                    3 * width, shape.head_width, 1.0F / std::sqrt(static_cast<float>(shape.head_width))};
    const std::int64_t begin = item.block * kQueryBlock;
    forward_block(head, begin, std::min(sequence.rows, begin + kQueryBlock),
                  thread_memory_[static_cast<std::size_t>(omp_get_thread_num())].data(),
                  output + sequence.first_row * width + h * shape.head_width, width,
                  log_sum_exp + h * rows + sequence.first_row);
  }
}

void FastOps::attention_backward(const float* output_gradient, const float* query_key_value, const float* output,
                                 const float* log_sum_exp, std::span<const Sequence> sequences,
                                 const AttentionShape& shape, std::int64_t rows, float* query_key_value_gradient) {
  const std::int64_t width = shape.width();
  for_each_gap(sequences, rows, [&](std::int64_t begin, std::int64_t end) {
    std::fill(query_key_value_gradient + begin * 3 * width, query_key_value_gradient + end * 3 * width, 0.0F);
  });
  const std::int64_t block_elements = kQueryBlock * longest(sequences);
  reserve_per_thread(2 * block_elements);
  const auto count = static_cast<std::int64_t>(sequences.size()) * shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Sequence& sequence = sequences[static_cast<std::size_t>(i / shape.heads)];
    const std::int64_t h = i % shape.heads;
    const std::int64_t column = h * shape.head_width;
    const float* first = query_key_value + sequence.first_row * 3 * width + column;
    const Head head{first,     first + width,    first + 2 * width,
                    3 * width, shape.head_width, 1.0F / std::sqrt(static_cast<float>(shape.head_width))};
    float* memory = thread_memory_[static_cast<std::size_t>(omp_get_thread_num())].data();
    float* gradient = query_key_value_gradient + sequence.first_row * 3 * width + column;
    const std::int64_t at = sequence.first_row * width + column;
    backward_head(head, sequence.rows, output + at, output_gradient + at, width,
                  log_sum_exp + h * rows + sequence.first_row, memory, memory + block_elements, gradient,
                  gradient + width, gradient + 2 * width);
  }
}

}  // namespace chainrule::model
