#include "model/decoder/block_pass.h"

#include "model/decoder/weight_product.h"
#include "model/ops/attention.h"
#include "model/ops/gelu.h"
#include "model/ops/layer_norm.h"
#include "model/ops/linear.h"
#include "model/ops/relu_squared.h"
#include "model/ops/rms_norm.h"
#include "model/ops/rotary.h"
#include "model/ops/swiglu.h"

namespace chainrule::model::decoder {
namespace {

using shape::Part;
using shape::PartKind;
using shape::Value;

void copy(const float* from, std::int64_t count, float* to) {
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

const Value& value(const BlockPass& pass, std::size_t index) { return pass.block.values[index]; }

/// Where a part finds what it reads.
const float* source(const BlockPass& pass, std::size_t index) {
  return index == 0 ? pass.input : pass.memory.values[index];
}

/// Where a part puts what it writes.
float* target(const BlockPass& pass, std::size_t index) {
  return value(pass, index).place == Value::Place::stream ? pass.output : pass.memory.values[index];
}

/// A parameter's values; null for none.
const float* values_of(const BlockPass& pass, const std::optional<shape::Parameter>& parameter) {
  return parameter ? pass.weights.values(pass.first + parameter->offset) : nullptr;
}

float* at(float* gradients, const std::optional<shape::Parameter>& parameter) {
  return parameter ? gradients + parameter->offset : nullptr;
}

void layer_norm_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::LayerNormForward{.rows = pass.rows.count,
                                     .width = value(pass, part.input).width,
                                     .epsilon = part.epsilon,
                                     .x = source(pass, part.input),
                                     .gain = values_of(pass, part.weight),
                                     .bias = values_of(pass, part.bias),
                                     .output = target(pass, part.output),
                                     .mean = pass.memory.values[part.statistics],
                                     .inverse_deviation = pass.memory.values[part.statistics + 1]});
}

void rms_norm_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::RmsNormForward{.rows = pass.rows.count,
                                   .width = value(pass, part.input).width,
                                   .epsilon = part.epsilon,
                                   .x = source(pass, part.input),
                                   .gain = values_of(pass, part.weight),
                                   .output = target(pass, part.output),
                                   .inverse_root_mean_square = pass.memory.values[part.statistics]});
}

void linear_forward(const BlockPass& pass, const Part& part) {
  float* output = target(pass, part.output);
  if (part.added_to) copy(source(pass, *part.added_to), pass.rows.count * part.out(), output);
  multiply(pass.ops, pass.weights, pass.first + part.weight->offset,
           {.rows = pass.rows.count,
            .in = part.in(),
            .out = part.out(),
            .x = source(pass, part.input),
            .bias = values_of(pass, part.bias),
            .output = output,
            .output_stride = part.out(),
            .accumulate = part.added_to.has_value()});
}

void query_key_norm_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::QueryKeyNormForward{.rows = pass.rows.count,
                                        .shape = part.attention,
                                        .epsilon = part.epsilon,
                                        .query_key_value = source(pass, part.input),
                                        .gain = values_of(pass, part.weight),
                                        .output = target(pass, part.output),
                                        .inverse_root_mean_square = pass.memory.values[part.statistics]});
}

void rotary_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::RotaryForward{.rows = pass.rows.count,
                                  .shape = part.attention,
                                  .runs = pass.rows.turned,
                                  .query_key_value = source(pass, part.input),
                                  .output = target(pass, part.output)});
}

void attention_forward(const BlockPass& pass, const Part& part) {
  const Rows& rows = pass.rows;
  const float* query_key_value = source(pass, part.input);
  if (pass.cache != nullptr) {
    pass.ops.run(ops::CacheWrite{
        .rows = rows.steps, .shape = rows.cache_shape, .query_key_value = query_key_value, .cache = pass.cache});
  }
  if (rows.batch != nullptr) {
    pass.ops.run(ops::AttentionForward{.rows = rows.count,
                                       .shape = part.attention,
                                       .sequences = rows.batch->sequences,
                                       .query_key_value = query_key_value,
                                       .output = target(pass, part.output),
                                       .log_sum_exp = pass.memory.values[part.statistics]});
  } else {
    pass.ops.run(ops::AttentionStep{.rows = rows.steps,
                                    .shape = rows.cache_shape,
                                    .query_key_value = query_key_value,
                                    .cache = pass.cache,
                                    .output = target(pass, part.output)});
  }
}

void gelu_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::GeluForward{.count = pass.rows.count * value(pass, part.input).width,
                                .x = source(pass, part.input),
                                .output = target(pass, part.output)});
}

void relu_squared_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::ReluSquaredForward{.count = pass.rows.count * value(pass, part.input).width,
                                       .x = source(pass, part.input),
                                       .output = target(pass, part.output)});
}

void swiglu_forward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::SwigluForward{.rows = pass.rows.count,
                                  .width = value(pass, part.output).width,
                                  .x = source(pass, part.input),
                                  .output = target(pass, part.output)});
}

void forward(const BlockPass& pass, std::span<const Part> parts) {
  for (const Part& part : parts) {
    switch (part.kind) {
      case PartKind::layer_norm: layer_norm_forward(pass, part); break;
      case PartKind::rms_norm: rms_norm_forward(pass, part); break;
      case PartKind::linear: linear_forward(pass, part); break;
      case PartKind::query_key_norm: query_key_norm_forward(pass, part); break;
      case PartKind::rotary: rotary_forward(pass, part); break;
      case PartKind::attention: attention_forward(pass, part); break;
      case PartKind::gelu: gelu_forward(pass, part); break;
      case PartKind::relu_squared: relu_squared_forward(pass, part); break;
      case PartKind::swiglu: swiglu_forward(pass, part); break;
    }
  }
}

/// Backward of each kind: from the gradient of what a part wrote to that of what it read.

bool made_again(const BlockPass& pass, const Part& part) {
  return value(pass, part.output).place == Value::Place::buffer;
}

void layer_norm_backward(const BlockPass& pass, const Part& part, float* gradients) {
  if (made_again(pass, part)) layer_norm_forward(pass, part);
  pass.ops.run(ops::LayerNormBackward{.rows = pass.rows.count,
                                      .width = value(pass, part.input).width,
                                      .output_gradient = pass.memory.gradients[part.output],
                                      .x = source(pass, part.input),
                                      .gain = values_of(pass, part.weight),
                                      .mean = pass.memory.values[part.statistics],
                                      .inverse_deviation = pass.memory.values[part.statistics + 1],
                                      .x_gradient = pass.memory.gradients[part.input],
                                      .gain_gradient = at(gradients, part.weight),
                                      .bias_gradient = at(gradients, part.bias)});
}

void rms_norm_backward(const BlockPass& pass, const Part& part, float* gradients) {
  if (made_again(pass, part)) rms_norm_forward(pass, part);
  pass.ops.run(ops::RmsNormBackward{.rows = pass.rows.count,
                                    .width = value(pass, part.input).width,
                                    .output_gradient = pass.memory.gradients[part.output],
                                    .x = source(pass, part.input),
                                    .gain = values_of(pass, part.weight),
                                    .inverse_root_mean_square = pass.memory.values[part.statistics],
                                    .x_gradient = pass.memory.gradients[part.input],
                                    .gain_gradient = at(gradients, part.weight)});
}

void query_key_norm_backward(const BlockPass& pass, const Part& part, float* gradients) {
  pass.ops.run(ops::QueryKeyNormBackward{.rows = pass.rows.count,
                                         .shape = part.attention,
                                         .query_key_value = source(pass, part.input),
                                         .gain = values_of(pass, part.weight),
                                         .inverse_root_mean_square = pass.memory.values[part.statistics],
                                         .gradient = pass.memory.gradients[part.output],
                                         .gain_gradient = at(gradients, part.weight)});
}

void rotary_backward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::RotaryBackward{
      .shape = part.attention, .runs = pass.rows.turned, .gradient = pass.memory.gradients[part.output]});
}

void linear_backward_input(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::LinearBackwardInput{.rows = pass.rows.count,
                                        .in = part.in(),
                                        .out = part.out(),
                                        .output_gradient = pass.memory.gradients[part.output],
                                        .output_gradient_stride = part.out(),
                                        .weight = values_of(pass, part.weight),
                                        .x_gradient = pass.memory.gradients[part.input]});
}

void linear_backward_weight(const BlockPass& pass, const Part& part, float* gradients, bool accumulate) {
  pass.ops.run(ops::LinearBackwardWeight{.rows = pass.rows.count,
                                         .in = part.in(),
                                         .out = part.out(),
                                         .output_gradient = pass.memory.gradients[part.output],
                                         .output_gradient_stride = part.out(),
                                         .x = source(pass, part.input),
                                         .weight_gradient = at(gradients, part.weight),
                                         .bias_gradient = at(gradients, part.bias),
                                         .accumulate = accumulate});
}

void attention_backward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::AttentionBackward{.rows = pass.rows.count,
                                      .shape = part.attention,
                                      .sequences = pass.rows.batch->sequences,
                                      .output_gradient = pass.memory.gradients[part.output],
                                      .query_key_value = source(pass, part.input),
                                      .output = source(pass, part.output),
                                      .log_sum_exp = pass.memory.values[part.statistics],
                                      .query_key_value_gradient = pass.memory.gradients[part.input]});
}

void gelu_backward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::GeluBackward{.count = pass.rows.count * value(pass, part.input).width,
                                 .x = source(pass, part.input),
                                 .gradient = pass.memory.gradients[part.output],
                                 .output = target(pass, part.output)});
}

void relu_squared_backward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::ReluSquaredBackward{.count = pass.rows.count * value(pass, part.input).width,
                                        .x = source(pass, part.input),
                                        .gradient = pass.memory.gradients[part.output],
                                        .output = target(pass, part.output)});
}

void swiglu_backward(const BlockPass& pass, const Part& part) {
  pass.ops.run(ops::SwigluBackward{.rows = pass.rows.count,
                                   .width = value(pass, part.output).width,
                                   .x = source(pass, part.input),
                                   .output_gradient = pass.memory.gradients[part.output],
                                   .x_gradient = pass.memory.gradients[part.input],
                                   .output = target(pass, part.output)});
}

}  // namespace

void forward(const BlockPass& pass) { forward(pass, pass.block.parts); }

void forward_saved(const BlockPass& pass) { forward(pass, std::span(pass.block.parts).first(pass.block.saving_parts)); }

void backward(const BlockPass& pass, float* gradients, bool accumulate) {
  // A weight's gradient needs the product's input: where that is not saved, it waits for the part before, which makes
  // it again.
  const Part* waiting = nullptr;
  for (auto part = pass.block.parts.rbegin(); part != pass.block.parts.rend(); ++part) {
    const Part* now_ready = waiting;
    waiting = nullptr;
    switch (part->kind) {
      case PartKind::layer_norm: layer_norm_backward(pass, *part, gradients); break;
      case PartKind::rms_norm: rms_norm_backward(pass, *part, gradients); break;
      case PartKind::query_key_norm: query_key_norm_backward(pass, *part, gradients); break;
      case PartKind::rotary: rotary_backward(pass, *part); break;
      case PartKind::attention: attention_backward(pass, *part); break;
      case PartKind::gelu: gelu_backward(pass, *part); break;
      case PartKind::relu_squared: relu_squared_backward(pass, *part); break;
      case PartKind::swiglu: swiglu_backward(pass, *part); break;
      case PartKind::linear:
        linear_backward_input(pass, *part);
        (value(pass, part->input).place == Value::Place::buffer ? waiting : now_ready) = &*part;
        break;
    }
    if (now_ready != nullptr) linear_backward_weight(pass, *now_ready, gradients, accumulate);
  }
}

}  // namespace chainrule::model::decoder
