#pragma once
#include <cstdint>

#include "model/shape/block.h"
#include "model/shape/config.h"

namespace chainrule::model::shape {

/// The decoder as a table: what its parameters are, how they begin, what is multiplied with them, what a pass keeps.
/// Whoever needs such a number, and the passes themselves, read it here.
struct Description {
  std::int64_t layers = 0;
  Parameter token_embedding;     ///< [V, C]
  Parameter position_embedding;  ///< [T, C]
  Block layer;                   ///< each layer's
  Block ending;                  ///< the final norm: from the last layer's output to the hidden states
  Part head;                     ///< hidden states -> logits, with the token embedding as its weight; no bias

  /// FLOPs per token of causal attention at context T, all layers, forward.
  double attention_flops_per_token(std::int64_t sequence_length) const;
};

/// config: one that validate() lets pass.
Description describe(const Config& config);

}  // namespace chainrule::model::shape
