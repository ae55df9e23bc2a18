#pragma once
#include <cstdint>
#include <optional>

#include "model/shape/block.h"
#include "model/shape/config.h"

namespace chainrule::model::shape {

/// The decoder as a table: what its parameters are, how they begin, what is multiplied with them, what a pass keeps.
/// Whoever needs such a number, and the passes themselves, read it here.
struct Description {
  std::int64_t layers = 0;
  Parameter token_embedding;                    ///< [V, C]
  std::optional<Parameter> position_embedding;  ///< [T, C], where positions are learned
  Block layer;                                  ///< each layer's
  Block ending;                                 ///< the final norm: from the last layer's output to the hidden states
  Part head;                 ///< hidden states -> logits; its weight is the token embedding where that is tied; no bias
  float logit_soft_cap = 0;  ///< see Config

  /// FLOPs per token of causal attention at context T, all layers, forward.
  double attention_flops_per_token(std::int64_t sequence_length) const;
};

/// config: one that validate() lets pass.
Description describe(const Config& config);

}  // namespace chainrule::model::shape
