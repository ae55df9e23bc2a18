#pragma once
#include <cstdint>

#include "model/ops/batch.h"
#include "model/ops/op_kind.h"

namespace chainrule::model::ops {

class Workspace;

/// nll = log(sum exp logits) - logits[target] in nats; 0 where the target is kNotScored.
struct CrossEntropyForward {
  static constexpr OpKind kKind = OpKind::cross_entropy;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
  const float* logits = nullptr;           ///< [rows, vocabulary]
  std::int64_t stride = 0;                 ///< elements between rows of logits
  const std::uint32_t* targets = nullptr;  ///< [rows]
  double* nll = nullptr;                   ///< [rows]
};
void fast(Workspace& workspace, const CrossEntropyForward& op);
void reference(const CrossEntropyForward& op);

/// As forward, and turns the logits in place into d (nll + z_loss (log Z)^2) / d logits = (1 + 2 z_loss log Z) softmax
/// - one-hot (zero where not scored), Z = sum exp logits; where they were capped (soft_cap.h), into the gradient of
/// what they were before. The second term keeps log Z near 0 (z-loss; PaLM, Chowdhery et al. 2022, section 5); nll is
/// without it.
struct CrossEntropyBackward {
  static constexpr OpKind kKind = OpKind::cross_entropy;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
  float* logits = nullptr;                 ///< [rows, vocabulary]
  std::int64_t stride = 0;                 ///< elements between rows of logits
  const std::uint32_t* targets = nullptr;  ///< [rows]
  double* nll = nullptr;                   ///< [rows]
  float soft_cap = 0;                      ///< 0: the logits were not capped
  double z_loss = 0;                       ///< weight of (log Z)^2
};
void fast(Workspace& workspace, const CrossEntropyBackward& op);
void reference(const CrossEntropyBackward& op);

}  // namespace chainrule::model::ops
