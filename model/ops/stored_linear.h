#pragma once
#include <cstdint>
#include <span>

#include "model/ops/op_kind.h"
#include "model/weights/stored_matrix.h"

namespace chainrule::model::ops {

class Workspace;

/// LinearForward with a weight as a file stores it, which is decoded a block at a time.
struct StoredLinearForward {
  static constexpr OpKind kKind = OpKind::linear_forward;
  std::int64_t rows = 0;
  const float* x = nullptr;                       ///< [rows, weight->columns]
  const weights::StoredMatrix* weight = nullptr;  ///< [out, in]
  const float* bias = nullptr;                    ///< [out], may be null
  float* output = nullptr;                        ///< [rows, out]
  std::int64_t output_stride = 0;                 ///< elements between rows of output
  bool accumulate = false;                        ///< adds to output
};
void fast(Workspace& workspace, const StoredLinearForward& op);
void reference(const StoredLinearForward& op);

/// output = the row of each token, as a file stores it, + the row of its position, where positions are learned.
struct StoredEmbeddingForward {
  static constexpr OpKind kKind = OpKind::embedding;
  std::span<const std::uint32_t> tokens = {};
  std::span<const std::int64_t> positions = {};            ///< of each token; read where there is a position_embedding
  const weights::StoredMatrix* token_embedding = nullptr;  ///< [vocabulary, width]
  const float* position_embedding = nullptr;               ///< [longest sequence, width], or null
  float* output = nullptr;                                 ///< [tokens, width]
};
void fast(Workspace& workspace, const StoredEmbeddingForward& op);
void reference(const StoredEmbeddingForward& op);

}  // namespace chainrule::model::ops
