#include "model/decoder/layer.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/ops/attention.h"
#include "model/ops/gelu.h"
#include "model/ops/layer_norm.h"
#include "model/ops/linear.h"

namespace chainrule::model::decoder {
namespace {

/// Hands out consecutive pieces of a buffer, each on a cache line of its own.
class Carver {
 public:
  explicit Carver(float* memory) : next_(memory) {}
  float* take(std::int64_t elements) {
    float* piece = next_;
    next_ += padded(elements);
    return piece;
  }
  static std::int64_t padded(std::int64_t elements) { return (elements + 15) / 16 * 16; }

 private:
  float* next_;
};

void copy(const float* from, std::int64_t count, float* to) {
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

/// input [rows, C] -> activations.query_key_value.
void before_attention(const shape::Config& config, const LayerParameters& at, const float* parameters,
                      std::int64_t rows, ops::Ops& ops, const float* input, const LayerActivations& activations,
                      const LayerScratch& scratch) {
  const std::int64_t width = config.width;
  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = width,
                                .epsilon = config.normalization_epsilon,
                                .x = input,
                                .gain = parameters + at.attention_norm_weight,
                                .bias = parameters + at.attention_norm_bias,
                                .output = scratch.normalised,
                                .mean = activations.attention_norm_mean,
                                .inverse_deviation = activations.attention_norm_inverse_deviation});
  ops.run(ops::LinearForward{.rows = rows,
                             .in = width,
                             .out = 3 * width,
                             .x = scratch.normalised,
                             .weight = parameters + at.query_key_value_weight,
                             .bias = parameters + at.query_key_value_bias,
                             .output = activations.query_key_value,
                             .output_stride = 3 * width});
}

/// input and activations.attention -> the activations behind attention and, unless null, output [rows, C].
void after_attention(const shape::Config& config, const LayerParameters& at, const float* parameters, std::int64_t rows,
                     ops::Ops& ops, const float* input, const LayerActivations& activations,
                     const LayerScratch& scratch, float* output) {
  const std::int64_t width = config.width;
  const std::int64_t feed_forward_width = config.feed_forward_width;
  copy(input, rows * width, activations.middle);
  ops.run(ops::LinearForward{.rows = rows,
                             .in = width,
                             .out = width,
                             .x = activations.attention,
                             .weight = parameters + at.attention_output_weight,
                             .bias = parameters + at.attention_output_bias,
                             .output = activations.middle,
                             .output_stride = width,
                             .accumulate = true});

  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = width,
                                .epsilon = config.normalization_epsilon,
                                .x = activations.middle,
                                .gain = parameters + at.feed_forward_norm_weight,
                                .bias = parameters + at.feed_forward_norm_bias,
                                .output = scratch.normalised,
                                .mean = activations.feed_forward_norm_mean,
                                .inverse_deviation = activations.feed_forward_norm_inverse_deviation});
  ops.run(ops::LinearForward{.rows = rows,
                             .in = width,
                             .out = feed_forward_width,
                             .x = scratch.normalised,
                             .weight = parameters + at.up_weight,
                             .bias = parameters + at.up_bias,
                             .output = activations.up,
                             .output_stride = feed_forward_width});
  if (output == nullptr) return;
  ops.run(ops::GeluForward{.count = rows * feed_forward_width, .x = activations.up, .output = scratch.activated});
  copy(activations.middle, rows * width, output);
  ops.run(ops::LinearForward{.rows = rows,
                             .in = feed_forward_width,
                             .out = width,
                             .x = scratch.activated,
                             .weight = parameters + at.down_weight,
                             .bias = parameters + at.down_bias,
                             .output = output,
                             .output_stride = width,
                             .accumulate = true});
}

}  // namespace

LayerParameters::LayerParameters(const shape::ParameterTable& table, std::int64_t layer) {
  const auto offset = [&](const char* name) { return table.find(fmt::format("layers.{}.{}", layer, name)).offset; };
  attention_norm_weight = offset("attention_norm.weight");
  attention_norm_bias = offset("attention_norm.bias");
  query_key_value_weight = offset("attention.query_key_value.weight");
  query_key_value_bias = offset("attention.query_key_value.bias");
  attention_output_weight = offset("attention.output.weight");
  attention_output_bias = offset("attention.output.bias");
  feed_forward_norm_weight = offset("feed_forward_norm.weight");
  feed_forward_norm_bias = offset("feed_forward_norm.bias");
  up_weight = offset("feed_forward.up.weight");
  up_bias = offset("feed_forward.up.bias");
  down_weight = offset("feed_forward.down.weight");
  down_bias = offset("feed_forward.down.bias");
  first = down_weight;
}

std::int64_t LayerActivations::elements(const shape::Config& config, std::int64_t rows) {
  return 4 * Carver::padded(rows) + Carver::padded(rows * config.heads) + 2 * Carver::padded(rows * config.width) +
         Carver::padded(3 * rows * config.width) + Carver::padded(rows * config.feed_forward_width);
}

LayerActivations::LayerActivations(const shape::Config& config, std::int64_t rows, float* memory) {
  Carver carver(memory);
  attention_norm_mean = carver.take(rows);
  attention_norm_inverse_deviation = carver.take(rows);
  query_key_value = carver.take(3 * rows * config.width);
  attention = carver.take(rows * config.width);
  log_sum_exp = carver.take(rows * config.heads);
  middle = carver.take(rows * config.width);
  feed_forward_norm_mean = carver.take(rows);
  feed_forward_norm_inverse_deviation = carver.take(rows);
  up = carver.take(rows * config.feed_forward_width);
}

std::int64_t LayerScratch::elements(const shape::Config& config, std::int64_t rows, bool train) {
  const std::int64_t narrow = Carver::padded(rows * config.width);
  const std::int64_t wide = Carver::padded(rows * config.feed_forward_width);
  const std::int64_t forward = narrow + wide;
  return train ? forward + 2 * narrow + wide + Carver::padded(3 * rows * config.width) : forward;
}

LayerScratch::LayerScratch(const shape::Config& config, std::int64_t rows, bool train, float* memory) {
  Carver carver(memory);
  normalised = carver.take(rows * config.width);
  activated = carver.take(rows * config.feed_forward_width);
  if (!train) return;
  residual_gradient = carver.take(rows * config.width);
  branch_gradient = carver.take(rows * config.width);
  feed_forward_gradient = carver.take(rows * config.feed_forward_width);
  query_key_value_gradient = carver.take(3 * rows * config.width);
}

void layer_forward(const shape::Config& config, const LayerParameters& at, const float* parameters,
                   const ops::Batch& batch, ops::Ops& ops, const float* input, const LayerActivations& activations,
                   const LayerScratch& scratch, float* output) {
  const std::int64_t rows = batch.rows();
  before_attention(config, at, parameters, rows, ops, input, activations, scratch);
  ops.run(ops::AttentionForward{.rows = rows,
                                .shape = attention_shape(config),
                                .sequences = batch.sequences,
                                .query_key_value = activations.query_key_value,
                                .output = activations.attention,
                                .log_sum_exp = activations.log_sum_exp});
  after_attention(config, at, parameters, rows, ops, input, activations, scratch, output);
}

void layer_step(const shape::Config& config, const LayerParameters& at, const float* parameters,
                std::span<const ops::StepRow> rows, ops::Ops& ops, const ops::CacheShape& cache_shape, float* cache,
                const float* input, const LayerActivations& activations, const LayerScratch& scratch, float* output) {
  const auto count = static_cast<std::int64_t>(rows.size());
  before_attention(config, at, parameters, count, ops, input, activations, scratch);
  ops.run(ops::CacheWrite{
      .rows = rows, .shape = cache_shape, .query_key_value = activations.query_key_value, .cache = cache});
  ops.run(ops::AttentionStep{.rows = rows,
                             .shape = cache_shape,
                             .query_key_value = activations.query_key_value,
                             .cache = cache,
                             .output = activations.attention});
  after_attention(config, at, parameters, count, ops, input, activations, scratch, output);
}

void layer_backward(const shape::Config& config, const LayerParameters& at, const float* parameters,
                    const ops::Batch& batch, ops::Ops& ops, const float* input, const LayerActivations& activations,
                    const LayerScratch& scratch, float* gradients, bool accumulate) {
  const std::int64_t rows = batch.rows();
  const std::int64_t width = config.width;
  const std::int64_t feed_forward_width = config.feed_forward_width;
  const float epsilon = config.normalization_epsilon;
  float* residual = scratch.residual_gradient;

  // Feed-forward: residual += down(gelu(up(norm(middle)))).
  ops.run(ops::LinearBackwardInput{.rows = rows,
                                   .in = feed_forward_width,
                                   .out = width,
                                   .output_gradient = residual,
                                   .output_gradient_stride = width,
                                   .weight = parameters + at.down_weight,
                                   .x_gradient = scratch.feed_forward_gradient});
  ops.run(ops::GeluBackward{.count = rows * feed_forward_width,
                            .x = activations.up,
                            .gradient = scratch.feed_forward_gradient,
                            .output = scratch.activated});
  ops.run(ops::LinearBackwardWeight{.rows = rows,
                                    .in = feed_forward_width,
                                    .out = width,
                                    .output_gradient = residual,
                                    .output_gradient_stride = width,
                                    .x = scratch.activated,
                                    .weight_gradient = gradients + at.down_weight,
                                    .bias_gradient = gradients + at.down_bias,
                                    .accumulate = accumulate});
  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = width,
                                .epsilon = epsilon,
                                .x = activations.middle,
                                .gain = parameters + at.feed_forward_norm_weight,
                                .bias = parameters + at.feed_forward_norm_bias,
                                .output = scratch.normalised,
                                .mean = activations.feed_forward_norm_mean,
                                .inverse_deviation = activations.feed_forward_norm_inverse_deviation});
  ops.run(ops::LinearBackwardWeight{.rows = rows,
                                    .in = width,
                                    .out = feed_forward_width,
                                    .output_gradient = scratch.feed_forward_gradient,
                                    .output_gradient_stride = feed_forward_width,
                                    .x = scratch.normalised,
                                    .weight_gradient = gradients + at.up_weight,
                                    .bias_gradient = gradients + at.up_bias,
                                    .accumulate = accumulate});
  ops.run(ops::LinearBackwardInput{.rows = rows,
                                   .in = width,
                                   .out = feed_forward_width,
                                   .output_gradient = scratch.feed_forward_gradient,
                                   .output_gradient_stride = feed_forward_width,
                                   .weight = parameters + at.up_weight,
                                   .x_gradient = scratch.branch_gradient});
  ops.run(ops::LayerNormBackward{.rows = rows,
                                 .width = width,
                                 .output_gradient = scratch.branch_gradient,
                                 .x = activations.middle,
                                 .gain = parameters + at.feed_forward_norm_weight,
                                 .mean = activations.feed_forward_norm_mean,
                                 .inverse_deviation = activations.feed_forward_norm_inverse_deviation,
                                 .x_gradient = residual,
                                 .gain_gradient = gradients + at.feed_forward_norm_weight,
                                 .bias_gradient = gradients + at.feed_forward_norm_bias});

  // Attention: residual += output(attention(norm(input))).
  ops.run(ops::LinearBackwardWeight{.rows = rows,
                                    .in = width,
                                    .out = width,
                                    .output_gradient = residual,
                                    .output_gradient_stride = width,
                                    .x = activations.attention,
                                    .weight_gradient = gradients + at.attention_output_weight,
                                    .bias_gradient = gradients + at.attention_output_bias,
                                    .accumulate = accumulate});
  ops.run(ops::LinearBackwardInput{.rows = rows,
                                   .in = width,
                                   .out = width,
                                   .output_gradient = residual,
                                   .output_gradient_stride = width,
                                   .weight = parameters + at.attention_output_weight,
                                   .x_gradient = scratch.branch_gradient});
  ops.run(ops::AttentionBackward{.rows = rows,
                                 .shape = attention_shape(config),
                                 .sequences = batch.sequences,
                                 .output_gradient = scratch.branch_gradient,
                                 .query_key_value = activations.query_key_value,
                                 .output = activations.attention,
                                 .log_sum_exp = activations.log_sum_exp,
                                 .query_key_value_gradient = scratch.query_key_value_gradient});
  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = width,
                                .epsilon = epsilon,
                                .x = input,
                                .gain = parameters + at.attention_norm_weight,
                                .bias = parameters + at.attention_norm_bias,
                                .output = scratch.normalised,
                                .mean = activations.attention_norm_mean,
                                .inverse_deviation = activations.attention_norm_inverse_deviation});
  ops.run(ops::LinearBackwardWeight{.rows = rows,
                                    .in = width,
                                    .out = 3 * width,
                                    .output_gradient = scratch.query_key_value_gradient,
                                    .output_gradient_stride = 3 * width,
                                    .x = scratch.normalised,
                                    .weight_gradient = gradients + at.query_key_value_weight,
                                    .bias_gradient = gradients + at.query_key_value_bias,
                                    .accumulate = accumulate});
  ops.run(ops::LinearBackwardInput{.rows = rows,
                                   .in = width,
                                   .out = 3 * width,
                                   .output_gradient = scratch.query_key_value_gradient,
                                   .output_gradient_stride = 3 * width,
                                   .weight = parameters + at.query_key_value_weight,
                                   .x_gradient = scratch.branch_gradient});
  ops.run(ops::LayerNormBackward{.rows = rows,
                                 .width = width,
                                 .output_gradient = scratch.branch_gradient,
                                 .x = input,
                                 .gain = parameters + at.attention_norm_weight,
                                 .mean = activations.attention_norm_mean,
                                 .inverse_deviation = activations.attention_norm_inverse_deviation,
                                 .x_gradient = residual,
                                 .gain_gradient = gradients + at.attention_norm_weight,
                                 .bias_gradient = gradients + at.attention_norm_bias});
}

}  // namespace chainrule::model::decoder
