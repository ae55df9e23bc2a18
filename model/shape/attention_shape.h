#pragma once
#include <cstdint>

namespace chainrule::model::shape {

/// How the queries, keys and values of a token lie side by side in a row: the query heads, then the key heads, then the
/// value heads, head_width channels each.
struct AttentionShape {
  std::int64_t heads = 0;            ///< of queries
  std::int64_t key_value_heads = 0;  ///< divides heads; query head h meets key_value_heads * h / heads
  std::int64_t head_width = 0;

  /// Channels of all queries, which are those that attention puts out.
  std::int64_t query_width() const { return heads * head_width; }
  /// Channels of all keys, and of all values.
  std::int64_t key_value_width() const { return key_value_heads * head_width; }
  /// Channels of a row: queries, keys and values.
  std::int64_t row_width() const { return query_width() + 2 * key_value_width(); }
  bool operator==(const AttentionShape&) const = default;
};

/// Throws Error for fewer key and value heads than query heads: grouped queries are not built.
void require_equal_heads(const AttentionShape& shape);

}  // namespace chainrule::model::shape
