#include "model/decoder/layer.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/round_up.h"

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
  static std::int64_t padded(std::int64_t elements) { return round_up(elements, 16); }

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
  ops.layer_norm_forward(input, parameters + at.attention_norm_weight, parameters + at.attention_norm_bias, rows, width,
                         config.normalization_epsilon, scratch.normalised, activations.attention_norm_mean,
                         activations.attention_norm_inverse_deviation);
  ops.linear_forward(scratch.normalised, parameters + at.query_key_value_weight, parameters + at.query_key_value_bias,
                     rows, width, 3 * width, activations.query_key_value, 3 * width, false);
}

/// input and activations.attention -> the activations behind attention and, unless null, output [rows, C].
void after_attention(const shape::Config& config, const LayerParameters& at, const float* parameters, std::int64_t rows,
                     ops::Ops& ops, const float* input, const LayerActivations& activations,
                     const LayerScratch& scratch, float* output) {
  const std::int64_t width = config.width;
  const std::int64_t feed_forward_width = config.feed_forward_width;
  copy(input, rows * width, activations.middle);
  ops.linear_forward(activations.attention, parameters + at.attention_output_weight,
                     parameters + at.attention_output_bias, rows, width, width, activations.middle, width, true);

  ops.layer_norm_forward(activations.middle, parameters + at.feed_forward_norm_weight,
                         parameters + at.feed_forward_norm_bias, rows, width, config.normalization_epsilon,
                         scratch.normalised, activations.feed_forward_norm_mean,
                         activations.feed_forward_norm_inverse_deviation);
  ops.linear_forward(scratch.normalised, parameters + at.up_weight, parameters + at.up_bias, rows, width,
                     feed_forward_width, activations.up, feed_forward_width, false);
  if (output == nullptr) return;
  ops.gelu_forward(activations.up, rows * feed_forward_width, scratch.activated);
  copy(activations.middle, rows * width, output);
  ops.linear_forward(scratch.activated, parameters + at.down_weight, parameters + at.down_bias, rows,
                     feed_forward_width, width, output, width, true);
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
  ops.attention_forward(activations.query_key_value, batch.sequences, {config.heads, config.head_width()}, rows,
                        activations.attention, activations.log_sum_exp);
  after_attention(config, at, parameters, rows, ops, input, activations, scratch, output);
}

void layer_step(const shape::Config& config, const LayerParameters& at, const float* parameters,
                std::span<const ops::StepRow> rows, ops::Ops& ops, const ops::CacheShape& cache_shape, float* cache,
                const float* input, const LayerActivations& activations, const LayerScratch& scratch, float* output) {
  const auto count = static_cast<std::int64_t>(rows.size());
  before_attention(config, at, parameters, count, ops, input, activations, scratch);
  ops.cache_write(activations.query_key_value, rows, cache_shape, cache);
  ops.attention_step(activations.query_key_value, rows, cache_shape, cache, activations.attention);
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
  ops.linear_backward_input(residual, width, parameters + at.down_weight, rows, feed_forward_width, width,
                            scratch.feed_forward_gradient, false);
  ops.gelu_backward(activations.up, rows * feed_forward_width, scratch.feed_forward_gradient, scratch.activated);
  ops.linear_backward_weight(residual, width, scratch.activated, rows, feed_forward_width, width,
                             gradients + at.down_weight, gradients + at.down_bias, accumulate);
  ops.layer_norm_forward(activations.middle, parameters + at.feed_forward_norm_weight,
                         parameters + at.feed_forward_norm_bias, rows, width, epsilon, scratch.normalised,
                         activations.feed_forward_norm_mean, activations.feed_forward_norm_inverse_deviation);
  ops.linear_backward_weight(scratch.feed_forward_gradient, feed_forward_width, scratch.normalised, rows, width,
                             feed_forward_width, gradients + at.up_weight, gradients + at.up_bias, accumulate);
  ops.linear_backward_input(scratch.feed_forward_gradient, feed_forward_width, parameters + at.up_weight, rows, width,
                            feed_forward_width, scratch.branch_gradient, false);
  ops.layer_norm_backward(scratch.branch_gradient, activations.middle, parameters + at.feed_forward_norm_weight,
                          activations.feed_forward_norm_mean, activations.feed_forward_norm_inverse_deviation, rows,
                          width, residual, gradients + at.feed_forward_norm_weight,
                          gradients + at.feed_forward_norm_bias);

  // Attention: residual += output(attention(norm(input))).
  ops.linear_backward_weight(residual, width, activations.attention, rows, width, width,
                             gradients + at.attention_output_weight, gradients + at.attention_output_bias, accumulate);
  ops.linear_backward_input(residual, width, parameters + at.attention_output_weight, rows, width, width,
                            scratch.branch_gradient, false);
  ops.attention_backward(scratch.branch_gradient, activations.query_key_value, activations.attention,
                         activations.log_sum_exp, batch.sequences, {config.heads, config.head_width()}, rows,
                         scratch.query_key_value_gradient);
  ops.layer_norm_forward(input, parameters + at.attention_norm_weight, parameters + at.attention_norm_bias, rows, width,
                         epsilon, scratch.normalised, activations.attention_norm_mean,
                         activations.attention_norm_inverse_deviation);
  ops.linear_backward_weight(scratch.query_key_value_gradient, 3 * width, scratch.normalised, rows, width, 3 * width,
                             gradients + at.query_key_value_weight, gradients + at.query_key_value_bias, accumulate);
  ops.linear_backward_input(scratch.query_key_value_gradient, 3 * width, parameters + at.query_key_value_weight, rows,
                            width, 3 * width, scratch.branch_gradient, false);
  ops.layer_norm_backward(scratch.branch_gradient, input, parameters + at.attention_norm_weight,
                          activations.attention_norm_mean, activations.attention_norm_inverse_deviation, rows, width,
                          residual, gradients + at.attention_norm_weight, gradients + at.attention_norm_bias);
}

}  // namespace chainrule::model::decoder
