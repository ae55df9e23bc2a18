#include "model/decoder/block_parts.h"
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

void copy(const float* from, std::int64_t count, float* to) {
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
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

}  // namespace

void forward(const BlockPass& pass, const Part& part) {
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

void forward(const BlockPass& pass) { forward_first(pass, pass.block.parts.size()); }

void forward_first(const BlockPass& pass, std::size_t parts) {
  for (std::size_t i = 0; i < parts; ++i) forward(pass, pass.block.parts[i]);
}

}  // namespace chainrule::model::decoder
