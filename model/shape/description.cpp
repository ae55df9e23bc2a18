#include "model/shape/description.h"

namespace chainrule::model::shape {
namespace {

Block describe_layer(const Config& config) {
  const AttentionShape attention = attention_shape(config);
  BlockBuilder block(config.width, config.normalization_epsilon);
  block.layer_norm("attention_norm")
      .linear("attention.query_key_value", "query_key_value", attention.row_width(), Buffer::query_key_value_gradient)
      .attention(attention)
      .linear_into_stream("attention.output", false)
      .layer_norm("feed_forward_norm")
      .linear("feed_forward.up", "up", config.feed_forward_width, Buffer::feed_forward_gradient)
      .gelu()
      .linear_into_stream("feed_forward.down", true);
  return block.build();
}

}  // namespace

double Description::attention_flops_per_token(std::int64_t sequence_length) const {
  double flops = 0;
  for (const Part& part : layer.parts) {
    // A query meets T / 2 keys on average, and as many values.
    if (part.kind == PartKind::attention) {
      flops += 2.0 * static_cast<double>(sequence_length) * static_cast<double>(part.attention.query_width());
    }
  }
  return static_cast<double>(layers) * flops;
}

Description describe(const Config& config) {
  Description model;
  model.layers = config.layers;
  const auto embedding = [&](const char* name, std::int64_t rows) {
    return Parameter{.name = name, .shape = {rows, config.width}, .decay = true, .initial = Initial::normal};
  };
  model.token_embedding = embedding("token_embedding.weight", config.vocabulary_size);
  model.position_embedding = embedding("position_embedding.weight", config.sequence_length);
  model.layer = describe_layer(config);
  model.ending = BlockBuilder(config.width, config.normalization_epsilon).layer_norm("final_norm", true).build();
  model.token_embedding.in_products = config.tied_head;
  model.head.name = "head";
  model.head.weight = model.token_embedding;
  return model;
}

}  // namespace chainrule::model::shape
