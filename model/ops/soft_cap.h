#pragma once
#include <cstdint>

#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// logits = cap * tanh(logits / cap), in place. Gemma Team 2024.
struct SoftCap {
  static constexpr OpKind kKind = OpKind::cross_entropy;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
  std::int64_t stride = 0;  ///< elements between rows of logits
  float cap = 0;
  float* logits = nullptr;  ///< [rows, vocabulary]
};
void fast(Workspace& workspace, const SoftCap& op);
void reference(const SoftCap& op);

}  // namespace chainrule::model::ops
