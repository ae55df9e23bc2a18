#pragma once
#include <cstdint>
#include <span>

#include "model/ops/attention_step.h"
#include "model/ops/batch.h"
#include "model/ops/ops.h"
#include "model/shape/config.h"
#include "model/shape/parameters.h"

namespace chainrule::model::decoder {

/// Where one layer's parameters (and their gradients) lie in an arena, in elements.
struct LayerParameters {
  LayerParameters(const shape::ParameterTable& table, std::int64_t layer);

  std::int64_t first;                                             ///< of the layer's consecutive parameters
  std::int64_t attention_norm_weight, attention_norm_bias;        // [C]
  std::int64_t query_key_value_weight, query_key_value_bias;      // [3C, C], [3C]
  std::int64_t attention_output_weight, attention_output_bias;    // [C, C], [C]
  std::int64_t feed_forward_norm_weight, feed_forward_norm_bias;  // [C]
  std::int64_t up_weight, up_bias;                                // [F, C], [F]
  std::int64_t down_weight, down_bias;                            // [C, F], [C]
};

/// What a layer's backward needs of its forward besides its input; what is cheap to make again is not kept.
struct LayerActivations {
  static std::int64_t elements(const shape::Config& config, std::int64_t rows);
  LayerActivations(const shape::Config& config, std::int64_t rows, float* memory);

  float* attention_norm_mean;                  // [rows]
  float* attention_norm_inverse_deviation;     // [rows]
  float* query_key_value;                      // [rows, 3C]
  float* attention;                            // [rows, C], heads side by side
  float* log_sum_exp;                          // [heads, rows]
  float* middle;                               // [rows, C], the residual stream after attention
  float* feed_forward_norm_mean;               // [rows]
  float* feed_forward_norm_inverse_deviation;  // [rows]
  float* up;                                   // [rows, F], before the activation
};

/// Buffers that layers use in turn.
struct LayerScratch {
  static std::int64_t elements(const shape::Config& config, std::int64_t rows, bool train);
  LayerScratch() = default;
  LayerScratch(const shape::Config& config, std::int64_t rows, bool train, float* memory);

  float* normalised = nullptr;  // [rows, C]
  float* activated = nullptr;   // [rows, F]
  // In training only:
  float* residual_gradient = nullptr;         // [rows, C], of the residual stream; carried from layer to layer
  float* branch_gradient = nullptr;           // [rows, C], of what a norm gave or attention put out
  float* feed_forward_gradient = nullptr;     // [rows, F]
  float* query_key_value_gradient = nullptr;  // [rows, 3C]
};

/// One pre-norm block: input [rows, C] -> output [rows, C]. With output null it stops once the activations are
/// there, which is all that backward needs when it recomputes.
void layer_forward(const shape::Config& config, const LayerParameters& at, const float* parameters,
                   const ops::Batch& batch, ops::Ops& ops, const float* input, const LayerActivations& activations,
                   const LayerScratch& scratch, float* output);

/// The same block on one row of each of several sequences: their keys and values join `cache` (this layer's, see
/// CacheShape), and each row attends to its own sequence there.
void layer_step(const shape::Config& config, const LayerParameters& at, const float* parameters,
                std::span<const ops::StepRow> rows, ops::Ops& ops, const ops::CacheShape& cache_shape, float* cache,
                const float* input, const LayerActivations& activations, const LayerScratch& scratch, float* output);

/// scratch.residual_gradient: of the layer's output before, of its input after. Adds to the layer's
/// gradients; unless accumulate, those of its four matrices are replaced.
void layer_backward(const shape::Config& config, const LayerParameters& at, const float* parameters,
                    const ops::Batch& batch, ops::Ops& ops, const float* input, const LayerActivations& activations,
                    const LayerScratch& scratch, float* gradients, bool accumulate);

}  // namespace chainrule::model::decoder
