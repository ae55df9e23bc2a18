#include "model/decoder/block_parts.h"
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

/// Where a parameter's gradient is added; null for none.
float* at(float* gradients, const std::optional<shape::Parameter>& parameter) {
  return parameter ? gradients + parameter->offset : nullptr;
}

/// Backward of each kind: from the gradient of what a part wrote to that of what it read.

bool made_again(const BlockPass& pass, const Part& part) {
  return value(pass, part.output).place == shape::Value::Place::buffer;
}

void layer_norm_backward(const BlockPass& pass, const Part& part, float* gradients) {
  if (made_again(pass, part)) forward(pass, part);
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
  if (made_again(pass, part)) forward(pass, part);
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
        (value(pass, part->input).place == shape::Value::Place::buffer ? waiting : now_ready) = &*part;
        break;
    }
    if (now_ready != nullptr) linear_backward_weight(pass, *now_ready, gradients, accumulate);
  }
}

}  // namespace chainrule::model::decoder
