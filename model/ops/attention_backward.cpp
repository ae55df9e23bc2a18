// The gradients of causal attention, by the same blocks and chunks as forward: probabilities are computed again from
// the saved log-sum-exp (Dao et al. 2022).
#include <algorithm>
#include <optional>

#include "model/ops/attention.h"
#include "model/ops/attention_blocks.h"
#include "model/ops/workspace.h"
#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

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

/// What backward holds of one head: the sequence's keys and values, and a block of queries beside a chunk of keys.
struct BackwardMemory {
  static std::int64_t elements(std::int64_t rows, std::int64_t width) {
    return 2 * products::panel_elements(width, rows) + products::panel_elements(rows, width) +
           2 * products::panel_elements(kQueryBlock, width) + 2 * kQueryBlock * (width + kScoreStride);
  }
  BackwardMemory(const AttentionHead& head, float* memory)
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

/// The gradients of one head of one sequence; rows of query lie as the head's.
struct HeadGradients {
  float* query;
  float* key;
  float* value;
  std::int64_t key_stride;  // between rows of key and value
};

/// Probabilities and gradients of the scores in a rectangle; means: of each query, output gradient times output.
void score_gradients(const AttentionHead& head, const Rectangle& at, const float* log_sum_exp, const float* means,
                     const BackwardMemory& memory) {
  multiply_rectangle(at, head.width, memory.queries, memory.transposed_keys, memory.probabilities);
  multiply_rectangle(at, head.width, memory.gradients, memory.transposed_values, memory.score_gradients);
  for (std::int64_t row = at.first_strip(at.first_key); row < at.queries(); ++row) {
    float* probabilities = memory.probabilities + row * kScoreStride;
    float* gradients = memory.score_gradients + row * kScoreStride;
    const std::int64_t seen = at.seen(at.begin + row);
    const std::int64_t hidden = std::min(seen, at.hidden(at.begin + row));
    softmax_backward(probabilities + hidden, gradients + hidden, log_sum_exp[at.begin + row], means[row],
                     head.score_scale, seen - hidden);
    std::fill(probabilities, probabilities + hidden, 0.0F);
    std::fill(gradients, gradients + hidden, 0.0F);
    // Strips of queries and of keys reach beyond what this query sees, together by less than two strips.
    const std::int64_t cleared = std::min(at.keys(), seen + 2 * kStrip);
    std::fill(probabilities + seen, probabilities + cleared, 0.0F);
    std::fill(gradients + seen, gradients + cleared, 0.0F);
  }
}

/// What a rectangle adds to the gradients of its keys and values.
void add_key_gradients(const AttentionHead& head, const Rectangle& at, const BackwardMemory& memory,
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
    product.c = gradients.key + key * gradients.key_stride;
    product.c_row = gradients.key_stride;
    product.accumulate = true;
    products::multiply_panels(product);
    product.a = memory.probabilities + skipped * kScoreStride + key - at.first_key;
    product.b = memory.gradient_panels + skipped * products::kPanelColumns;
    product.c = gradients.value + key * gradients.key_stride;
    products::multiply_panels(product);
  }
}

/// Gradients of one head of one sequence; output, output_gradient and log_sum_exp at its row 0.
void backward_head(const AttentionHead& head, const float* output, const float* output_gradient,
                   std::int64_t output_stride, const float* log_sum_exp, const BackwardMemory& memory,
                   const HeadGradients& gradients) {
  products::pack_transposed_panels(head.key, head.stride, head.width, head.rows, memory.transposed_keys);
  products::pack_transposed_panels(head.value, head.stride, head.width, head.rows, memory.transposed_values);
  products::pack_panels(head.key, head.stride, head.rows, head.width, memory.keys);
  for (std::int64_t row = 0; row < head.rows; ++row) {
    std::fill_n(gradients.query + row * head.stride, head.width, 0.0F);
    std::fill_n(gradients.key + row * gradients.key_stride, head.width, 0.0F);
    std::fill_n(gradients.value + row * gradients.key_stride, head.width, 0.0F);
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
    for (std::int64_t first_key = head.first_chunk(begin); first_key < end; first_key += kKeyChunk) {
      const Rectangle at{begin, end, first_key, std::min(end, first_key + kKeyChunk), head.window};
      score_gradients(head, at, log_sum_exp, means, memory);
      add_rectangle(at, head.width, head.rows, memory.score_gradients, memory.keys,
                    gradients.query + begin * head.stride, head.stride);
      add_key_gradients(head, at, memory, gradients);
    }
  }
}

std::int64_t longest(std::span<const Sequence> sequences) {
  std::int64_t rows = 0;
  for (const Sequence& sequence : sequences) rows = std::max(rows, sequence.rows);
  return rows;
}

/// Where each query head of a group leaves what it adds to the gradients of the keys and values that the group shares:
/// so heads need not wait for each other, and are added in order.
class GroupGradients {
 public:
  /// memory: elements() of op.
  GroupGradients(const AttentionBackward& op, float* memory) : op_(op), memory_(memory) {}
  static std::int64_t elements(const AttentionBackward& op) { return 2 * op.rows * op.shape.query_width(); }

  /// Of head h at a row: head_width of its keys, and as many of its values.
  float* at(std::int64_t row, std::int64_t h) const { return memory_ + (h * op_.rows + row) * stride(); }
  std::int64_t stride() const { return 2 * op_.shape.head_width; }
  /// Of all heads, to the gradients of keys and values at a row.
  void sum(std::int64_t row) const;

 private:
  const AttentionBackward& op_;
  float* memory_;
};

void GroupGradients::sum(std::int64_t row) const {
  const shape::AttentionShape& shape = op_.shape;
  const std::int64_t width = shape.head_width;
  float* keys = op_.query_key_value_gradient + row * shape.row_width() + shape.query_width();
  for (std::int64_t h = 0; h < shape.heads; ++h) {
    const float* from = at(row, h);
    float* key = keys + shape.key_value_head(h) * width;
    float* value = key + shape.key_value_width();
    const bool first = h % shape.group() == 0;
    for (std::int64_t i = 0; i < width; ++i) {
      key[i] = first ? from[i] : key[i] + from[i];
      value[i] = first ? from[i + width] : value[i] + from[i + width];
    }
  }
}

/// Where one head of one sequence leaves its gradients.
HeadGradients gradients_of(const AttentionBackward& op, const GroupGradients* groups, std::int64_t first_row,
                           std::int64_t h) {
  const std::int64_t row_width = op.shape.row_width();
  const std::int64_t width = op.shape.head_width;
  float* query = op.query_key_value_gradient + first_row * row_width + h * width;
  if (groups == nullptr) {
    float* key = query + op.shape.query_width();
    return {query, key, key + op.shape.key_value_width(), row_width};
  }
  float* key = groups->at(first_row, h);
  return {query, key, key + width, groups->stride()};
}

}  // namespace

void fast(Workspace& workspace, const AttentionBackward& op) {
  const std::int64_t width = op.shape.query_width();
  const std::int64_t row_width = op.shape.row_width();
  for_each_gap(op.sequences, op.rows, [&](std::int64_t begin, std::int64_t end) {
    std::fill(op.query_key_value_gradient + begin * row_width, op.query_key_value_gradient + end * row_width, 0.0F);
  });
  workspace.reserve_per_thread(BackwardMemory::elements(longest(op.sequences), op.shape.head_width));
  std::optional<GroupGradients> groups;
  if (op.shape.group() > 1) groups.emplace(op, workspace.shared_memory(GroupGradients::elements(op)));
  const auto count = static_cast<std::int64_t>(op.sequences.size()) * op.shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Sequence& sequence = op.sequences[static_cast<std::size_t>(i / op.shape.heads)];
    const std::int64_t h = i % op.shape.heads;
    const AttentionHead head(op.query_key_value, sequence, op.shape, h);
    const std::int64_t at = sequence.first_row * width + h * op.shape.head_width;
    backward_head(head, op.output + at, op.output_gradient + at, width,
                  op.log_sum_exp + h * op.rows + sequence.first_row, BackwardMemory(head, workspace.thread_memory()),
                  gradients_of(op, groups ? &*groups : nullptr, sequence.first_row, h));
  }
  if (!groups) return;
  for (const Sequence& sequence : op.sequences) {
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < sequence.rows; ++row) groups->sum(sequence.first_row + row);
  }
}

}  // namespace chainrule::model::ops
