#pragma once
#include <cstdint>
#include <span>

#include "model/ops/batch.h"
#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// output = the row of the token + the row of its position in its sequence, where positions are learned; position 0 for
/// rows in no sequence.
struct EmbeddingForward {
  static constexpr OpKind kKind = OpKind::embedding;
  Batch batch = {};
  std::int64_t width = 0;
  const float* token_embedding = nullptr;     ///< [vocabulary, width]
  const float* position_embedding = nullptr;  ///< [longest sequence, width], or null
  float* output = nullptr;                    ///< [rows, width]
};
void fast(Workspace& workspace, const EmbeddingForward& op);
void reference(const EmbeddingForward& op);

/// Adds the rows of the gradient to the embeddings' gradients, in row order.
struct EmbeddingBackward {
  static constexpr OpKind kKind = OpKind::embedding;
  Batch batch = {};
  std::int64_t width = 0;
  const float* gradient = nullptr;     ///< [rows, width]
  float* token_gradient = nullptr;     ///< [vocabulary, width]
  float* position_gradient = nullptr;  ///< [longest sequence, width], or null
};
void fast(Workspace& workspace, const EmbeddingBackward& op);
void reference(const EmbeddingBackward& op);

/// output = the row of the token + the row of its position, where positions are learned.
struct EmbeddingStep {
  static constexpr OpKind kKind = OpKind::embedding;
  std::span<const StepRow> rows = {};
  std::int64_t width = 0;
  const float* token_embedding = nullptr;     ///< [vocabulary, width]
  const float* position_embedding = nullptr;  ///< [longest sequence, width], or null
  float* output = nullptr;                    ///< [rows, width]
};
void fast(Workspace& workspace, const EmbeddingStep& op);
void reference(const EmbeddingStep& op);

}  // namespace chainrule::model::ops
