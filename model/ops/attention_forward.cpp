// Causal attention by blocks of queries and chunks of keys, so that nothing of size T x T is ever held and what is held
// stays in the cache: a running maximum and sum of each query's exponentials (Dao et al. 2022).
#include <algorithm>
#include <cmath>
#include <vector>

#include "model/ops/attention.h"
#include "model/ops/attention_blocks.h"
#include "model/ops/softmax.h"
#include "model/ops/workspace.h"

namespace chainrule::model::ops {
namespace {

std::int64_t forward_elements(std::int64_t width) { return kQueryBlock * (width + kScoreStride); }

/// Keys and values of a sequence's positions, also of those that it continues, into panels. memory: gathered_elements.
void pack_head(const AttentionForward& op, std::size_t sequence, const AttentionHead& head, float* memory,
               float* packed) {
  const float* keys = head.key;
  const float* values = head.value;
  std::int64_t stride = head.stride;
  if (head.length != head.rows) {
    const std::int64_t value_offset = head.length * head.width;
    for_each_stretch(op.sequences, sequence, [&](std::int64_t first_row, std::int64_t begin, std::int64_t end) {
      const std::int64_t offset = (first_row - op.sequences[sequence].first_row) * stride;
      copy_rows(head.key + offset, stride, end - begin, head.width, memory + begin * head.width);
      copy_rows(head.value + offset, stride, end - begin, head.width, memory + value_offset + begin * head.width);
    });
    keys = memory;
    values = memory + value_offset;
    stride = head.width;
  }
  products::pack_transposed_panels(keys, stride, head.width, head.length, packed);
  products::pack_panels(values, stride, head.length, head.width,
                        packed + products::panel_elements(head.width, head.length));
}

/// Where pack_head gathers what it packs.
std::int64_t gathered_elements(const AttentionForward& op) {
  std::int64_t longest = 0;
  for (const Sequence& each : op.sequences) {
    if (each.parent != kNoParent) longest = std::max(longest, each.length());
  }
  return 2 * longest * op.shape.head_width;
}

/// Attention of the queries at positions [begin, end), which lie in one block of kQueryBlock positions. packed: the
/// transposed keys and the values in panels. memory: forward_elements; output and log_sum_exp of the query at begin.
void forward_block(const AttentionHead& head, const float* query, const float* packed, std::int64_t begin,
                   std::int64_t end, float* memory, float* output, std::int64_t output_stride, float* log_sum_exp) {
  float* queries = memory;
  float* scores = memory + kQueryBlock * head.width;
  float shifts[kQueryBlock];
  float sums[kQueryBlock] = {};  // of a query that has met keys: at least 1
  copy_rows(query, head.stride, end - begin, head.width, queries);
  for (std::int64_t row = 0; row < end - begin; ++row) std::fill_n(output + row * output_stride, head.width, 0.0F);
  // Chunks begin where the whole block's do, so that bits do not depend on which of its queries are here.
  const std::int64_t first_chunk = head.first_chunk(begin / kQueryBlock * kQueryBlock);
  for (std::int64_t first_key = first_chunk; first_key < end; first_key += kKeyChunk) {
    const Rectangle at{begin, end, first_key, std::min(end, first_key + kKeyChunk), head.window};
    multiply_rectangle(at, head.width, queries, packed, scores);
    for (std::int64_t row = at.first_strip(first_key); row < at.queries(); ++row) {
      float* to = scores + row * kScoreStride;
      const std::int64_t seen = at.seen(begin + row);
      const std::int64_t hidden = at.hidden(begin + row);
      if (seen > hidden) {
        const float shift = largest(to + hidden, seen - hidden);
        if (sums[row] == 0.0F) {
          shifts[row] = shift;
          sums[row] = exponentiate(to + hidden, head.score_scale, shift, seen - hidden);
        } else {
          const float before = shifts[row];
          shifts[row] = std::max(before, shift);
          const float correction = std::exp(head.score_scale * (before - shifts[row]));
          sums[row] = sums[row] * correction + exponentiate(to + hidden, head.score_scale, shifts[row], seen - hidden);
          scale(output + row * output_stride, correction, head.width);
        }
      }
      std::fill(to, to + hidden, 0.0F);
      std::fill(to + seen, to + std::min(at.keys(), seen + kStrip), 0.0F);
    }
    add_rectangle(at, head.width, head.length, scores, packed + products::panel_elements(head.width, head.length),
                  output, output_stride);
  }
  for (std::int64_t row = 0; row < end - begin; ++row) {
    scale(output + row * output_stride, 1.0F / sums[row], head.width);
    log_sum_exp[row] = shifts[row] * head.score_scale + std::log(sums[row]);
  }
}

}  // namespace

void fast(Workspace& workspace, const AttentionForward& op) {
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
    const std::int64_t blocks = divide_up(op.sequences[s].length(), kQueryBlock);
    for (std::int64_t block = op.sequences[s].position / kQueryBlock; block < blocks; ++block)
      items.push_back({static_cast<std::int64_t>(s), block});
    packed_at.push_back(packed_elements);
    packed_elements +=
        op.shape.key_value_heads * AttentionHead(op.query_key_value, op.sequences[s], op.shape, 0).packed_elements();
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.block > b.block; });
  workspace.reserve_per_thread(std::max(forward_elements(op.shape.head_width), gathered_elements(op)));
  float* packed_heads = workspace.shared_memory(packed_elements);
  const auto packed_of = [&](std::int64_t sequence, const AttentionHead& head, std::int64_t key_value_head) {
    return packed_heads + packed_at[static_cast<std::size_t>(sequence)] + key_value_head * head.packed_elements();
  };
  const auto pairs = static_cast<std::int64_t>(op.sequences.size()) * op.shape.key_value_heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < pairs; ++i) {
    const std::int64_t sequence = i / op.shape.key_value_heads;
    const std::int64_t h = i % op.shape.key_value_heads;
    const AttentionHead head(op.query_key_value, op.sequences[static_cast<std::size_t>(sequence)], op.shape,
                             h * op.shape.group());
    pack_head(op, static_cast<std::size_t>(sequence), head, workspace.thread_memory(), packed_of(sequence, head, h));
  }
  const auto count = static_cast<std::int64_t>(items.size()) * op.shape.heads;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    const Item item = items[static_cast<std::size_t>(i / op.shape.heads)];
    const std::int64_t h = i % op.shape.heads;
    const Sequence& sequence = op.sequences[static_cast<std::size_t>(item.sequence)];
    const AttentionHead head(op.query_key_value, sequence, op.shape, h);
    const std::int64_t begin = std::max(sequence.position, item.block * kQueryBlock);
    const std::int64_t from = begin - sequence.position;
    const std::int64_t row = sequence.first_row + from;
    forward_block(head, head.query + from * head.stride, packed_of(item.sequence, head, op.shape.key_value_head(h)),
                  begin, std::min(sequence.length(), (item.block + 1) * kQueryBlock), workspace.thread_memory(),
                  op.output + row * width + h * op.shape.head_width, width, op.log_sum_exp + h * op.rows + row);
  }
}

}  // namespace chainrule::model::ops
