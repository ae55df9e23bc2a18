#pragma once
#include <cstdint>
#include <span>

#include "model/ops/batch.h"
#include "model/ops/op_kind.h"
#include "model/shape/attention_shape.h"

namespace chainrule::model::ops {

class Workspace;

/// The keys and values of one layer that decoding keeps: [slots, 2 (keys, values), key_value_heads, capacity,
/// head_width].
struct CacheShape {
  shape::AttentionShape attention;
  std::int64_t capacity = 0;  ///< positions of a slot

  std::int64_t slot_elements() const { return 2 * value_offset(); }
  /// First element of the keys of a key head in a slot; its values lie value_offset() further on.
  std::int64_t keys(std::int64_t slot, std::int64_t head) const {
    return slot * slot_elements() + head * capacity * attention.head_width;
  }
  std::int64_t value_offset() const { return attention.key_value_width() * capacity; }
};

/// Puts the keys and values of each row at its slot and position in the cache.
struct CacheWrite {
  static constexpr OpKind kKind = OpKind::attention_step;
  std::span<const StepRow> rows = {};
  CacheShape shape = {};
  const float* query_key_value = nullptr;  ///< [rows, attention.row_width()]
  float* cache = nullptr;                  ///< of all slots
};
void fast(Workspace& workspace, const CacheWrite& op);
void reference(const CacheWrite& op);

/// The query of each row over the cached positions of its slot, up to its own, within its window.
struct AttentionStep {
  static constexpr OpKind kKind = OpKind::attention_step;
  std::span<const StepRow> rows = {};
  CacheShape shape = {};
  const float* query_key_value = nullptr;  ///< [rows, attention.row_width()]
  const float* cache = nullptr;            ///< of all slots
  float* output = nullptr;                 ///< [rows, attention.query_width()]
};
void fast(Workspace& workspace, const AttentionStep& op);
void reference(const AttentionStep& op);

}  // namespace chainrule::model::ops
