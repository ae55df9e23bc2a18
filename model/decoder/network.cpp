#include "model/decoder/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "model/decoder/weight_product.h"
#include "model/error.h"
#include "model/ops/embedding.h"
#include "model/ops/linear.h"
#include "model/ops/soft_cap.h"
#include "model/ops/stored_linear.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {

Network::Network(const shape::Config& with_config, ops::Ops& with_ops)
    : config(with_config),
      table(config),
      ops(with_ops),
      angles(config),
      logits_stride(round_up(config.vocabulary_size, 16)) {}

void Network::check(const weights::Weights& weights) const {
  if (weights.stored() != nullptr) {
    if (weights.stored()->size() == table.parameters().size()) return;
    throw Error(
        fmt::format("{} stored parameters, the model has {}", weights.stored()->size(), table.parameters().size()));
  }
  const std::size_t elements = weights.arena().size();
  if (static_cast<std::int64_t>(elements) == table.arena_size()) return;
  throw Error(fmt::format("a parameter arena of {} elements, the model has {}", elements, table.arena_size()));
}

void Network::embed_stored(const weights::StoredWeights& stored, const Rows& rows, float* stream) const {
  std::vector<std::uint32_t> tokens(static_cast<std::size_t>(rows.count));
  std::vector<std::int64_t> positions(tokens.size(), 0);
  if (rows.batch != nullptr) {
    std::copy(rows.batch->inputs.begin(), rows.batch->inputs.end(), tokens.begin());
    positions = ops::positions_of(*rows.batch);
  } else {
    std::ranges::transform(rows.steps, tokens.begin(), &ops::StepRow::token);
    std::ranges::transform(rows.steps, positions.begin(), &ops::StepRow::position);
  }
  ops.run(ops::StoredEmbeddingForward{.tokens = tokens,
                                      .positions = positions,
                                      .token_embedding = &stored.matrix(table.token_embedding().begin).front(),
                                      .position_embedding = description().position_embedding
                                                                ? stored.vector(table.position_embedding().begin)
                                                                : nullptr,
                                      .output = stream});
}

void Network::embed(const weights::Weights& weights, const Rows& rows, float* stream) const {
  if (weights.stored() != nullptr) return embed_stored(*weights.stored(), rows, stream);
  const float* tokens = weights.values(table.token_embedding().begin);
  const float* positions =
      description().position_embedding ? weights.values(table.position_embedding().begin) : nullptr;
  if (rows.batch != nullptr) {
    ops.run(ops::EmbeddingForward{.batch = *rows.batch,
                                  .width = config.width,
                                  .token_embedding = tokens,
                                  .position_embedding = positions,
                                  .output = stream});
  } else {
    ops.run(ops::EmbeddingStep{.rows = rows.steps,
                               .width = config.width,
                               .token_embedding = tokens,
                               .position_embedding = positions,
                               .output = stream});
  }
}

void Network::embed_backward(const ops::Batch& batch, const float* stream, float* gradients) const {
  float* positions = description().position_embedding ? gradients + table.position_embedding().begin : nullptr;
  ops.run(ops::EmbeddingBackward{.batch = batch,
                                 .width = config.width,
                                 .gradient = stream,
                                 .token_gradient = gradients + table.token_embedding().begin,
                                 .position_gradient = positions});
}

BlockPass Network::layer(std::int64_t layer, const weights::Weights& weights, const Rows& rows, const float* input,
                         float* output, const BlockMemory& memory, float* cache) const {
  return {description().layer, ops, rows, weights, table.layer(layer).begin, input, output, memory, cache};
}

BlockPass Network::ending(const weights::Weights& weights, const Rows& rows, const float* input,
                          const BlockMemory& memory) const {
  return {description().ending, ops, rows, weights, table.ending().begin, input, nullptr, memory};
}

void Network::head(const weights::Weights& weights, const float* hidden, std::int64_t rows, float* logits) const {
  multiply(ops, weights, table.head().begin,
           {.rows = rows,
            .in = description().head.in(),
            .out = description().head.out(),
            .x = hidden,
            .output = logits,
            .output_stride = logits_stride});
  if (description().logit_soft_cap == 0) return;
  ops.run(ops::SoftCap{.rows = rows,
                       .vocabulary = description().head.out(),
                       .stride = logits_stride,
                       .cap = description().logit_soft_cap,
                       .logits = logits});
}

void Network::head_backward(const float* parameters, const float* logits, std::int64_t rows, const float* hidden,
                            float* hidden_gradient, float* gradients, bool accumulate) const {
  const std::int64_t in = description().head.in();
  const std::int64_t out = description().head.out();
  ops.run(ops::LinearBackwardWeight{.rows = rows,
                                    .in = in,
                                    .out = out,
                                    .output_gradient = logits,
                                    .output_gradient_stride = logits_stride,
                                    .x = hidden,
                                    .weight_gradient = gradients + table.head().begin,
                                    .accumulate = accumulate});
  ops.run(ops::LinearBackwardInput{.rows = rows,
                                   .in = in,
                                   .out = out,
                                   .output_gradient = logits,
                                   .output_gradient_stride = logits_stride,
                                   .weight = parameters + table.head().begin,
                                   .x_gradient = hidden_gradient});
}

}  // namespace chainrule::model::decoder
