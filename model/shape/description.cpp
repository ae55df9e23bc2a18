#include "model/shape/description.h"

namespace chainrule::model::shape {
namespace {

Block describe_layer(const Config& config) {
  BlockBuilder block(config);
  block.norm("attention_norm")
      .query_key_value("attention.query_key_value")
      .attention()
      .linear_into_stream("attention.output", false)
      .norm("feed_forward_norm")
      .up(config.activation == Activation::swiglu ? "feed_forward.gate_up" : "feed_forward.up")
      .activation()
      .linear_into_stream("feed_forward.down", true);
  return block.build();
}

/// Keys that a query meets on average in a context of that many positions.
double keys_met(const AttentionShape& attention, std::int64_t positions) {
  const auto all = static_cast<double>(positions);
  const auto window = static_cast<double>(attention.window);
  if (attention.window == 0 || attention.window >= positions) return all / 2;
  return window - window * window / (2 * all);
}

}  // namespace

double Description::attention_flops_per_token(std::int64_t sequence_length) const {
  double flops = 0;
  for (const Part& part : layer.parts) {
    // A query is multiplied with each key that it meets, and a weight with as many values.
    if (part.kind == PartKind::attention) {
      flops += 4.0 * keys_met(part.attention, sequence_length) * static_cast<double>(part.attention.query_width());
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
  if (config.position_encoding == PositionEncoding::learned) {
    model.position_embedding = embedding("position_embedding.weight", config.sequence_length);
  }
  model.layer = describe_layer(config);
  model.ending = BlockBuilder(config).norm("final_norm", true).build();
  model.token_embedding.in_products = config.tied_head;
  model.head.name = "head";
  model.head.weight = model.token_embedding;
  if (!config.tied_head) {
    model.head.weight->name = "head.weight";
    model.head.weight->in_products = true;
  }
  model.logit_soft_cap = config.logit_soft_cap;
  return model;
}

}  // namespace chainrule::model::shape
