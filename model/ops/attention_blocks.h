#pragma once
// What both directions of attention are made of: a head of a sequence, and blocks of its queries beside chunks of keys.
#include <algorithm>
#include <cstdint>
#include <span>

#include "model/ops/batch.h"
#include "model/products/panel_product.h"
#include "model/round_up.h"
#include "model/shape/attention_shape.h"

namespace chainrule::model::ops {

inline constexpr std::int64_t kStrip = 12;       ///< queries or keys that share a border: what panels multiply at once
inline constexpr std::int64_t kQueryBlock = 96;  ///< whole strips
inline constexpr std::int64_t kColumnsTogether =
    2 * products::kPanelColumns;                              ///< what the widest tile of a panel product takes
inline constexpr std::int64_t kKeyChunk = 256;                ///< whole panels
inline constexpr std::int64_t kScoreStride = kKeyChunk + 16;  ///< lest the rows all fall on the same lines of a cache

/// One head of one sequence: where its rows begin and how they are laid out. Rows are counted from 0, also those of a
/// sequence that continues another.
struct AttentionHead {
  /// Query head h of a sequence in query_key_value [rows, shape.row_width()], with the keys and values it meets.
  AttentionHead(const float* query_key_value, const Sequence& sequence, const shape::AttentionShape& shape,
                std::int64_t h);

  const float* query;
  const float* key;
  const float* value;
  std::int64_t stride;  ///< between rows of query, key and value
  std::int64_t width;   ///< of the head
  std::int64_t rows;    ///< of the sequence itself
  std::int64_t length;  ///< positions that are met: its rows, behind those that they continue
  std::int64_t window;  ///< as in AttentionShape
  float score_scale;

  /// Of the transposed keys and the values, in panels.
  std::int64_t packed_elements() const {
    return products::panel_elements(width, length) + products::panel_elements(length, width);
  }
  /// Where the chunks of keys begin that a block of queries from `begin` on meets: a panel's beginning.
  std::int64_t first_chunk(std::int64_t begin) const {
    if (window == 0 || begin < window) return 0;
    return (begin + 1 - window) / kColumnsTogether * kColumnsTogether;
  }
};

/// A block of queries beside a chunk of keys: rows [begin, end) and columns [first_key, end_key) of the probabilities.
struct Rectangle {
  std::int64_t begin, end, first_key, end_key;
  std::int64_t window = 0;

  std::int64_t queries() const { return end - begin; }
  std::int64_t keys() const { return end_key - first_key; }
  /// The strip of queries with the first that sees this key, as an offset from begin.
  std::int64_t first_strip(std::int64_t key) const { return std::max<std::int64_t>(0, key - begin) / kStrip * kStrip; }
  /// Keys of the chunk up to a query's own position; those before hidden() it does not see.
  std::int64_t seen(std::int64_t query) const { return std::clamp<std::int64_t>(query + 1 - first_key, 0, keys()); }
  /// Keys of the chunk that lie before a query's window.
  std::int64_t hidden(std::int64_t query) const {
    return window == 0 ? 0 : std::clamp<std::int64_t>(query + 1 - window - first_key, 0, keys());
  }
};

/// to [queries, keys] = the block's rows [queries, width] times the chunk's columns, but for strips of queries that see
/// none of a panel's keys. panels: keys or values of the whole sequence, transposed.
void multiply_rectangle(const Rectangle& at, std::int64_t width, const float* block, const float* panels, float* to);

/// to [queries, width] += weights [queries, keys] times the chunk's rows, of which a strip takes those that its last
/// query sees. panels: keys or values of the whole sequence.
void add_rectangle(const Rectangle& at, std::int64_t width, std::int64_t rows, const float* weights,
                   const float* panels, float* to, std::int64_t to_row);

/// A block's rows side by side.
void copy_rows(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t width, float* to);

/// Calls zero(begin, end) for rows that lie in no sequence.
template <typename Zero>
void for_each_gap(std::span<const Sequence> sequences, std::int64_t rows, Zero&& zero) {
  std::int64_t covered = 0;
  for (const Sequence& sequence : sequences) {
    if (sequence.first_row > covered) zero(covered, sequence.first_row);
    covered = sequence.first_row + sequence.rows;
  }
  if (rows > covered) zero(covered, rows);
}

}  // namespace chainrule::model::ops
