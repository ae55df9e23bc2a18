// Causal attention by blocks of queries and chunks of keys, so that nothing of size T x T is ever held and what is held
// stays in the cache. Forward keeps a running maximum and sum of each query's exponentials; backward recomputes the
// probabilities from the saved log-sum-exp (Dao et al. 2022).
#include "model/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "model/ops/softmax.h"
#include "model/ops/workspace.h"
#include "model/products/panel_product.h"
#include "model/round_up.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

constexpr std::int64_t kStrip = 12;       // queries or keys that share a border: what panels multiply at once
constexpr std::int64_t kQueryBlock = 96;  // whole strips
constexpr std::int64_t kColumnsTogether = 2 * products::kPanelColumns;  // what the widest tile of a panel product takes
constexpr std::int64_t kKeyChunk = 256;                                 // whole panels
constexpr std::int64_t kScoreStride = kKeyChunk + 16;  // lest the rows all fall on the same lines of a cache

CHAINRULE_MULTIVERSION
float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// scores -> probabilities exp(factor * scores - log_sum_exp); products -> score gradients p * (products - mean) *
/// factor.
CHAINRULE_MULTIVERSION
void softmax_backward(float* scores, float* products, float log_sum_exp, float mean, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float p = simd::exponential(scores[i] * factor - log_sum_exp);
    scores[i] = p;
    products[i] = p * (products[i] - mean) * factor;
  }
}

/// One head of one sequence: where its rows begin and how they are laid out.
struct Head {
  const float* query;
  const float* key;
  const float* value;
  std::int64_t stride;  // between rows of query, key and value
  std::int64_t width;   // of the head
  std::int64_t rows;    // of the sequence
  float score_scale;

  std::int64_t packed_elements() const {
    return products::panel_elements(width, rows) + products::panel_elements(rows, width);
  }
};

/// Head h of a sequence in query_key_value [rows, shape.row_width()].
Head head_of(const float* query_key_value, const Sequence& sequence, const shape::AttentionShape& shape,
             std::int64_t h) {
  const float* query = query_key_value + sequence.first_row * shape.row_width() + h * shape.head_width;
  const float* key = query + shape.query_width();
  return {query,
          key,
          key + shape.key_value_width(),
          shape.row_width(),
          shape.head_width,
          sequence.rows,
          1.0F / std::sqrt(static_cast<float>(shape.head_width))};
}

/// A block of queries beside a chunk of keys: rows [begin, end) and columns [first_key, end_key) of the probabilities.
struct Rectangle {
  std::int64_t begin, end, first_key, end_key;

  std::int64_t queries() const { return end - begin; }
  std::int64_t keys() const { return end_key - first_key; }
  /// The strip of queries with the first that sees this key, as an offset from begin.
  std::int64_t first_strip(std::int64_t key) const { return std::max<std::int64_t>(0, key - begin) / kStrip * kStrip; }
  /// Keys of the chunk that a query sees.
  std::int64_t seen(std::int64_t query) const { return std::clamp<std::int64_t>(query + 1 - first_key, 0, keys()); }
};

/// to [queries, keys] = the block's rows [queries, width] times the chunk's columns, but for strips of queries that see
/// none of a panel's keys. panels: keys or values of the whole sequence, transposed.
void multiply_rectangle(const Rectangle& at, std::int64_t width, const float* block, const float* panels, float* to) {
  for (std::int64_t key = at.first_key; key < at.end_key; key += kColumnsTogether) {
    const std::int64_t skipped = at.first_strip(key);
    const std::int64_t whole_panels = round_up(std::min(kColumnsTogether, at.end_key - key), products::kPanelColumns);
    products::PanelProduct product{.m = at.queries() - skipped, .n = whole_panels, .k = width};
    product.a = block + skipped * width;
    product.a_row = width;
    product.b = panels + key * width;
    product.b_rows = width;
    product.c = to + skipped * kScoreStride + key - at.first_key;
    product.c_row = kScoreStride;
    products::multiply_panels(product);
  }
}

/// to [queries, width] += weights [queries, keys] times the chunk's rows, of which a strip takes those that its last
/// query sees. panels: keys or values of the whole sequence.
void add_rectangle(const Rectangle& at, std::int64_t width, std::int64_t rows, const float* weights,
                   const float* panels, float* to, std::int64_t to_row) {
  for (std::int64_t column = 0; column < width; column += kColumnsTogether) {
    for (std::int64_t strip = at.first_strip(at.first_key); strip < at.queries(); strip += kStrip) {
      products::PanelProduct product{.m = std::min(kStrip, at.queries() - strip),
                                     .n = std::min(kColumnsTogether, width - column)};
      product.k = at.seen(at.begin + strip + product.m - 1);
      product.a = weights + strip * kScoreStride;
      product.a_row = kScoreStride;
      product.b = panels + column * rows + at.first_key * products::kPanelColumns;
      product.b_rows = rows;
      product.c = to + strip * to_row + column;
      product.c_row = to_row;
      product.accumulate = true;
      products::multiply_panels(product);
    }
  }
}

void copy_rows(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t width, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) std::copy_n(from + row * stride, width, to + row * width);
}

std::int64_t forward_elements(std::int64_t width) { return kQueryBlock * (width + kScoreStride); }

/// Attention of queries [begin, end). packed: the transposed keys and the values in panels. memory: forward_elements;
/// output and log_sum_exp at query 0.
void forward_block(const Head& head, const float* packed, std::int64_t begin, std::int64_t end, float* memory,
                   float* output, std::int64_t output_stride, float* log_sum_exp) {
  float* queries = memory;
  float* scores = memory + kQueryBlock * head.width;
  float shifts[kQueryBlock];
  float sums[kQueryBlock];
  copy_rows(head.query + begin * head.stride, head.stride, end - begin, head.width, queries);
  output += begin * output_stride;
  for (std::int64_t row = 0; row < end - begin; ++row) std::fill_n(output + row * output_stride, head.width, 0.0F);
  for (std::int64_t first_key = 0; first_key < end; first_key += kKeyChunk) {
    const Rectangle at{begin, end, first_key, std::min(end, first_key + kKeyChunk)};
    multiply_rectangle(at, head.width, queries, packed, scores);
    for (std::int64_t row = at.first_strip(first_key); row < at.queries(); ++row) {
      float* to = scores + row * kScoreStride;
      const std::int64_t seen = at.seen(begin + row);
      if (seen > 0) {
        const float shift = largest(to, seen);
        if (first_key == 0) {
          shifts[row] = shift;
          sums[row] = exponentiate(to, head.score_scale, shift, seen);
        } else {
          const float before = shifts[row];
          shifts[row] = std::max(before, shift);
          const float correction = std::exp(head.score_scale * (before - shifts[row]));
          sums[row] = sums[row] * correction + exponentiate(to, head.score_scale, shifts[row], seen);
          scale(output + row * output_stride, correction, head.width);
        }
      }
      std::fill(to + seen, to + std::min(at.keys(), seen + kStrip), 0.0F);
    }
    add_rectangle(at, head.width, head.rows, scores, packed + products::panel_elements(head.width, head.rows), output,
                  output_stride);
  }
  for (std::int64_t row = 0; row < end - begin; ++row) {
    scale(output + row * output_stride, 1.0F / sums[row], head.width);
    log_sum_exp[begin + row] = shifts[row] * head.score_scale + std::log(sums[row]);
  }
}

/// What backward holds of one head: the sequence's keys and values, and a block of queries beside a chunk of keys.
struct BackwardMemory {
  static std::int64_t elements(std::int64_t rows, std::int64_t width) {
    return 2 * products::panel_elements(width, rows) + products::panel_elements(rows, width) +
           2 * products::panel_elements(kQueryBlock, width) + 2 * kQueryBlock * (width + kScoreStride);
  }
  BackwardMemory(const Head& head, float* memory)
      : transposed_keys(memory),
        transposed_values(transposed_keys + products::panel_elements(head.width, head.rows)),
        keys(transposed_values + products::panel_elements(head.width, head.rows)),
        query_panels(keys + products::panel_elements(head.rows, head.width)),
        gradient_panels(query_panels + products::panel_elements(kQueryBlock, head.width)),
        queries(gradient_panels + products::panel_elements(kQueryBlock, head.width)),
        gradients(queries + kQueryBlock * head.width),
        probabilities(gradients + kQueryBlock * head.width),
        score_gradients(probabilities + kQueryBlock * kScoreStride) {}

  float* transposed_keys;    // panels
  float* transposed_values;  // panels
  float* keys;               // panels
  float* query_panels;       // of the block
  float* gradient_panels;    // of the block's output gradients
  float* queries;            // [block, width]
  float* gradients;          // [block, width] of the block's outputs
  float* probabilities;      // [block, kScoreStride]
  float* score_gradients;    // [block, kScoreStride]
};

/// The gradients of one head of one sequence, its rows laid out as the head's.
struct HeadGradients {
  float* query;
  float* key;
  float* value;
};

/// Probabilities and gradients of the scores in a rectangle; means: of each query, output gradient times output.
void score_gradients(const Head& head, const Rectangle& at, const float* log_sum_exp, const float* means,
                     const BackwardMemory& memory) {
  multiply_rectangle(at, head.width, memory.queries, memory.transposed_keys, memory.probabilities);
  multiply_rectangle(at, head.width, memory.gradients, memory.transposed_values, memory.score_gradients);
  for (std::int64_t row = at.first_strip(at.first_key); row < at.queries(); ++row) {
    float* probabilities = memory.probabilities + row * kScoreStride;
    float* gradients = memory.score_gradients + row * kScoreStride;
    const std::int64_t seen = at.seen(at.begin + row);
    softmax_backward(probabilities, gradients, log_sum_exp[at.begin + row], means[row], head.score_scale, seen);
    // Strips of queries and of keys reach beyond what this query sees, together by less than two strips.
    const std::int64_t cleared = std::min(at.keys(), seen + 2 * kStrip);
    std::fill(probabilities + seen, probabilities + cleared, 0.0F);
    std::fill(gradients + seen, gradients + cleared, 0.0F);
  }
}

/// What a rectangle adds to the gradients of its keys and values.
void add_key_gradients(const Head& head, const Rectangle& at, const BackwardMemory& memory,
                       const HeadGradients& gradients) {
  for (std::int64_t key = at.first_key; key < at.end_key; key += kStrip) {
    const std::int64_t skipped = at.first_strip(key);
    products::PanelProduct product{
        .m = std::min(kStrip, at.end_key - key), .n = head.width, .k = at.queries() - skipped};
    product.a = memory.score_gradients + skipped * kScoreStride + key - at.first_key;
    product.a_row = 1;
    product.a_column = kScoreStride;
    product.b = memory.query_panels + skipped * products::kPanelColumns;
    product.b_rows = at.queries();
    product.c = gradients.key + key * head.stride;
    product.c_row = head.stride;
    product.accumulate = true;
    products::multiply_panels(product);
    product.a = memory.probabilities + skipped * kScoreStride + key - at.first_key;
    product.b = memory.gradient_panels + skipped * products::kPanelColumns;
    product.c = gradients.value + key * head.stride;
    products::multiply_panels(product);
  }
}

/// Gradients of one head of one sequence; output, output_gradient and log_sum_exp at its row 0.
void backward_head(const Head& head, const float* output, const float* output_gradient, std::int64_t output_stride,
                   const float* log_sum_exp, const BackwardMemory& memory, const HeadGradients& gradients) {
  products::pack_transposed_panels(head.key, head.stride, head.width, head.rows, memory.transposed_keys);
  products::pack_transposed_panels(head.value, head.stride, head.width, head.rows, memory.transposed_values);
  products::pack_panels(head.key, head.stride, head.rows, head.width, memory.keys);
  for (std::int64_t row = 0; row < head.rows; ++row) {
    std::fill_n(gradients.query + row * head.stride, head.width, 0.0F);
    std::fill_n(gradients.key + row * head.stride, head.width, 0.0F);
    std::fill_n(gradients.value + row * head.stride, head.width, 0.0F);
  }
  for (std::int64_t begin = 0; begin < head.rows; begin += kQueryBlock) {
    const std::int64_t end = std::min(head.rows, begin + kQueryBlock);
    copy_rows(head.query + begin * head.stride, head.stride, end - begin, head.width, memory.queries);
    copy_rows(output_gradient + begin * output_stride, output_stride, end - begin, head.width, memory.gradients);
    products::pack_panels(memory.queries, head.width, end - begin, head.width, memory.query_panels);
    products::pack_panels(memory.gradients, head.width, end - begin, head.width, memory.gradient_panels);
    float means[kQueryBlock];
    for (std::int64_t row = begin; row < end; ++row) {
      means[row - begin] = dot(memory.gradients + (row - begin) * head.width, output + row * output_stride, head.width);
    }
    for (std::int64_t first_key = 0; first_key < end; first_key += kKeyChunk) {
      const Rectangle at{begin, end, first_key, std::min(end, first_key + kKeyChunk)};
      score_gradients(head, at, log_sum_exp, means, memory);
      add_rectangle(at, head.width, head.rows, memory.score_gradients, memory.keys,
                    gradients.query + begin * head.stride, head.stride);
      add_key_gradients(head, at, memory, gradients);
    }
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

void fast(Workspace& workspace, const AttentionForward& op) {
  shape::require_equal_heads(op.shape);
  const std::int64_t width = op.shape.query_width();
  for_each_gap(op.sequences, op.rows, [&](std::int64_t begin, std::int64_t end) {
    std::fill(op.output + begin * width, op.output + end * width, 0.0F);
    for (std::int64_t head = 0; head < op.shape.heads; ++head) {
      std::fill(op.log_sum_exp + head * op.rows + begin, op.log_sum_exp + head * op.rows + end, 0.0F);
    }
  });
  // Work items: (block, head) of every sequence, the longest blocks first so that threads end together.
  struct Item {
    std::int64_t sequence;
    std::int64_t block;
  };
  std::vector<Item> items;
  std::vector<std::int64_t> packed_at;  // of a sequence's first head
  std::int64_t packed_elements = 0;
  for (std::size_t s = 0; s < op.sequences.size(); ++s) {
    const std::int64_t blocks = divide_up(op.sequences[s].rows, kQueryBlock);
    for (std::int64_t block = 0; block < blocks; ++block) items.push_back({static_cast<std::int64_t>(s), block});
    packed_at.push_back(packed_elements);
    packed_elements += op.shape.heads * head_of(op.query_key_value, op.sequences[s], op.shape, 0).packed_elements();
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.block > b.block; });
  workspace.reserve_per_thread(forward_elements(op.shape.head_width));
  float* packed_heads = workspace.shared_memory(packed_elements);
  const auto packed_of = [&](std::int64_t sequence, const Head& head, std::int64_t h) {
    return packed_heads + packed_at[static_cast<std::size_t>(sequence)] + h * head.packed_elements();
  };
  const auto pairs = static_cast<std::int64_t>(op.sequences.size()) * op.shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < pairs; ++i) {
    const Head head = head_of(op.query_key_value, op.sequences[static_cast<std::size_t>(i / op.shape.heads)], op.shape,
                              i % op.shape.heads);
    float* packed = packed_of(i / op.shape.heads, head, i % op.shape.heads);
    products::pack_transposed_panels(head.key, head.stride, head.width, head.rows, packed);
    products::pack_panels(head.value, head.stride, head.rows, head.width,
                          packed + products::panel_elements(head.width, head.rows));
  }
  const auto count = static_cast<std::int64_t>(items.size()) * op.shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Item item = items[static_cast<std::size_t>(i / op.shape.heads)];
    const std::int64_t h = i % op.shape.heads;
    const Sequence& sequence = op.sequences[static_cast<std::size_t>(item.sequence)];
    const Head head = head_of(op.query_key_value, sequence, op.shape, h);
    const std::int64_t begin = item.block * kQueryBlock;
    forward_block(head, packed_of(item.sequence, head, h), begin, std::min(sequence.rows, begin + kQueryBlock),
                  workspace.thread_memory(), op.output + sequence.first_row * width + h * op.shape.head_width, width,
                  op.log_sum_exp + h * op.rows + sequence.first_row);
  }
}

void fast(Workspace& workspace, const AttentionBackward& op) {
  shape::require_equal_heads(op.shape);
  const std::int64_t width = op.shape.query_width();
  const std::int64_t row_width = op.shape.row_width();
  for_each_gap(op.sequences, op.rows, [&](std::int64_t begin, std::int64_t end) {
    std::fill(op.query_key_value_gradient + begin * row_width, op.query_key_value_gradient + end * row_width, 0.0F);
  });
  workspace.reserve_per_thread(BackwardMemory::elements(longest(op.sequences), op.shape.head_width));
  const auto count = static_cast<std::int64_t>(op.sequences.size()) * op.shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Sequence& sequence = op.sequences[static_cast<std::size_t>(i / op.shape.heads)];
    const std::int64_t h = i % op.shape.heads;
    const std::int64_t column = h * op.shape.head_width;
    const Head head = head_of(op.query_key_value, sequence, op.shape, h);
    float* memory = workspace.thread_memory();
    float* gradient = op.query_key_value_gradient + sequence.first_row * row_width + column;
    float* key_gradient = gradient + op.shape.query_width();
    const std::int64_t at = sequence.first_row * width + column;
    backward_head(head, op.output + at, op.output_gradient + at, width,
                  op.log_sum_exp + h * op.rows + sequence.first_row, BackwardMemory(head, memory),
                  {gradient, key_gradient, key_gradient + op.shape.key_value_width()});
  }
}

}  // namespace chainrule::model::ops
