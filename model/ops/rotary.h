#pragma once
#include <cstdint>
#include <span>

#include "model/ops/op_kind.h"
#include "model/shape/attention_shape.h"

namespace chainrule::model::ops {

class Workspace;

/// Consecutive rows and the angles by which they are turned.
struct RotaryRun {
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
  const float* cosines = nullptr;  ///< [rows, head_width / 2]
  const float* sines = nullptr;    ///< [rows, head_width / 2]
};

/// Turns channels i and i + head_width / 2 of each head of queries and keys together: (a, b) becomes
/// (a cos - b sin, b cos + a sin). Values are copied, and rows in no run (padding) are zero. Su et al. 2021.
struct RotaryForward {
  static constexpr OpKind kKind = OpKind::rotary;
  std::int64_t rows = 0;
  shape::AttentionShape shape = {};
  std::span<const RotaryRun> runs = {};    ///< in row order
  const float* query_key_value = nullptr;  ///< [rows, shape.row_width()]
  float* output = nullptr;                 ///< [rows, shape.row_width()]
};
void fast(Workspace& workspace, const RotaryForward& op);
void reference(const RotaryForward& op);

/// Turns the gradients of queries and keys back, in place; padding's stay as they are.
struct RotaryBackward {
  static constexpr OpKind kKind = OpKind::rotary;
  shape::AttentionShape shape = {};
  std::span<const RotaryRun> runs = {};
  float* gradient = nullptr;  ///< [rows, shape.row_width()]
};
void fast(Workspace& workspace, const RotaryBackward& op);
void reference(const RotaryBackward& op);

}  // namespace chainrule::model::ops
