#pragma once
#include <cstdint>

namespace chainrule::model::shape {

/// How the queries, keys and values of a token lie side by side in a row: the query heads, then the key heads, then the
/// value heads, head_width channels each.
struct AttentionShape {
  std::int64_t heads = 0;            ///< of queries
  std::int64_t key_value_heads = 0;  ///< divides heads
  std::int64_t head_width = 0;
  std::int64_t window = 0;  ///< most positions that a query meets, its own included; 0: all before it

  /// Channels of all queries, which are those that attention puts out.
  std::int64_t query_width() const { return heads * head_width; }
  /// Channels of all keys, and of all values.
  std::int64_t key_value_width() const { return key_value_heads * head_width; }
  /// Query heads that meet the same key head.
  std::int64_t group() const { return heads / key_value_heads; }
  /// The key and value head that a query head meets.
  std::int64_t key_value_head(std::int64_t head) const { return head / group(); }
  /// The first position that a query at this one meets.
  std::int64_t first_position(std::int64_t position) const {
    return window == 0 || position < window ? 0 : position + 1 - window;
  }
  /// Channels of a row: queries, keys and values.
  std::int64_t row_width() const { return query_width() + 2 * key_value_width(); }
  bool operator==(const AttentionShape&) const = default;
};

}  // namespace chainrule::model::shape
