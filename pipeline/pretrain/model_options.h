#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "model/shape/config.h"

namespace chainrule::pipeline::pretrain {

/// The shape of a model that is to be trained: a preset, and what differs from it.
struct ModelOptions {
  std::string preset;
  std::int64_t layers = 0;  ///< 0 here and below: the preset's
  std::int64_t heads = 0;
  std::int64_t key_value_heads = 0;     ///< 0: as many query heads share one as in the preset
  std::int64_t width = 0;               ///< of the residual stream; a head is then width / heads wide
  std::int64_t feed_forward_width = 0;  ///< 0: as many times the width as in the preset
  std::int64_t sequence_length = 0;     ///< T, tokens of a window
  std::string activation;               ///< empty: the preset's
  std::int64_t attention_window = 0;    ///< 0: none
  double logit_soft_cap = 0;            ///< 0: none
  bool query_key_norm = false;
  bool zero_residuals = false;
};

/// Throws Error (usage) naming the first option that is out of its range.
void validate(const ModelOptions& options);

/// Throws Error (usage) for an unknown preset, model::Error for a shape that cannot be.
model::shape::Config shape_of(const ModelOptions& options, std::uint32_t vocabulary_size);

}  // namespace chainrule::pipeline::pretrain
