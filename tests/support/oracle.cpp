#include "tests/support/oracle.h"

#include <algorithm>
#include <cmath>

#include "tests/support/oracle_layers.h"

namespace chainrule::tests::oracle {
namespace {

/// What a block's backward needs of its forward.
struct BlockActivations {
  Matrix input;
  Matrix attention_input;
  Matrix query_key_value;
  Matrix attended;
  Matrix middle;
  Matrix feed_forward_input;
  Matrix up;
};

struct Activations {
  std::vector<BlockActivations> blocks;
  Matrix last;    ///< output of the last block
  Matrix hidden;  ///< after the final norm
  Matrix logits;
};

std::string block_name(std::int64_t layer, const std::string& name) {
  return "layers." + std::to_string(layer) + "." + name;
}

Activations forward(const model::shape::Config& config, const Tensors& parameters, const Text& text) {
  const auto rows = static_cast<std::int64_t>(text.inputs.size());
  const double epsilon = config.normalization_epsilon;
  const Tensor& tokens = parameters.at("token_embedding.weight");
  const Tensor& positions = parameters.at("position_embedding.weight");
  Matrix x(rows, config.width);
  for (std::int64_t t = 0; t < rows; ++t) {
    for (std::int64_t c = 0; c < config.width; ++c) {
      x(t, c) = tokens.values.at(text.inputs[t] * config.width + c) + positions.values.at(t * config.width + c);
    }
  }
  std::vector<BlockActivations> blocks;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const auto p = [&](const std::string& name) -> const Tensor& { return parameters.at(block_name(layer, name)); };
    const Matrix attention_input = layer_norm(x, p("attention_norm.weight"), p("attention_norm.bias"), epsilon);
    const Matrix query_key_value =
        linear(attention_input, p("attention.query_key_value.weight"), p("attention.query_key_value.bias"));
    const Matrix attended = attention(query_key_value, config.heads);
    const Matrix middle = sum(x, linear(attended, p("attention.output.weight"), p("attention.output.bias")));
    const Matrix feed_forward_input =
        layer_norm(middle, p("feed_forward_norm.weight"), p("feed_forward_norm.bias"), epsilon);
    const Matrix up = linear(feed_forward_input, p("feed_forward.up.weight"), p("feed_forward.up.bias"));
    blocks.push_back({x, attention_input, query_key_value, attended, middle, feed_forward_input, up});
    x = sum(middle, linear(gelu(up), p("feed_forward.down.weight"), p("feed_forward.down.bias")));
  }
  const Matrix hidden = layer_norm(x, parameters.at("final_norm.weight"), parameters.at("final_norm.bias"), epsilon);
  const Tensor no_bias{{config.vocabulary_size}, std::vector<double>(config.vocabulary_size, 0.0)};
  return {std::move(blocks), x, hidden, linear(hidden, tokens, no_bias)};
}

/// d (sum of nll) / d logits.
Matrix logits_gradient(const Matrix& logits, const Text& text) {
  Matrix gradient = softmax(logits);
  for (std::int64_t t = 0; t < gradient.rows; ++t) {
    if (text.targets[t] != kNoTarget) {
      gradient(t, text.targets[t]) -= 1.0;
    } else {
      for (std::int64_t v = 0; v < gradient.columns; ++v) gradient(t, v) = 0.0;
    }
  }
  return gradient;
}

void add_gradients(const model::shape::Config& config, const Tensors& parameters, const Text& text, Tensors& result) {
  const Activations a = forward(config, parameters, text);
  const double epsilon = config.normalization_epsilon;
  const Tensor& tokens = parameters.at("token_embedding.weight");
  Tensor no_bias{{config.vocabulary_size}, std::vector<double>(config.vocabulary_size, 0.0)};
  Matrix gradient =
      linear_backward(logits_gradient(a.logits, text), a.hidden, tokens, result.at("token_embedding.weight"), no_bias);
  gradient = layer_norm_backward(gradient, a.last, parameters.at("final_norm.weight"), epsilon,
                                 result.at("final_norm.weight"), result.at("final_norm.bias"));
  for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
    const BlockActivations& block = a.blocks[layer];
    const auto p = [&](const std::string& name) -> const Tensor& { return parameters.at(block_name(layer, name)); };
    const auto g = [&](const std::string& name) -> Tensor& { return result.at(block_name(layer, name)); };
    Matrix inner = linear_backward(gradient, gelu(block.up), p("feed_forward.down.weight"),
                                   g("feed_forward.down.weight"), g("feed_forward.down.bias"));
    inner = gelu_backward(inner, block.up);
    inner = linear_backward(inner, block.feed_forward_input, p("feed_forward.up.weight"), g("feed_forward.up.weight"),
                            g("feed_forward.up.bias"));
    inner = layer_norm_backward(inner, block.middle, p("feed_forward_norm.weight"), epsilon,
                                g("feed_forward_norm.weight"), g("feed_forward_norm.bias"));
    gradient = sum(gradient, inner);
    inner = linear_backward(gradient, block.attended, p("attention.output.weight"), g("attention.output.weight"),
                            g("attention.output.bias"));
    inner = attention_backward(inner, block.query_key_value, config.heads);
    inner = linear_backward(inner, block.attention_input, p("attention.query_key_value.weight"),
                            g("attention.query_key_value.weight"), g("attention.query_key_value.bias"));
    inner = layer_norm_backward(inner, block.input, p("attention_norm.weight"), epsilon, g("attention_norm.weight"),
                                g("attention_norm.bias"));
    gradient = sum(gradient, inner);
  }
  for (std::int64_t t = 0; t < gradient.rows; ++t) {
    for (std::int64_t c = 0; c < config.width; ++c) {
      result.at("token_embedding.weight").values[text.inputs[t] * config.width + c] += gradient(t, c);
      result.at("position_embedding.weight").values[t * config.width + c] += gradient(t, c);
    }
  }
}

}  // namespace

Tensors zero_parameters(const model::shape::Config& config) {
  Tensors result;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    result[name] = {std::move(shape), std::vector<double>(size, 0.0)};
  };
  const std::int64_t c = config.width;
  const std::int64_t f = config.feed_forward_width;
  add("token_embedding.weight", {config.vocabulary_size, c});
  add("position_embedding.weight", {config.sequence_length, c});
  add("final_norm.weight", {c});
  add("final_norm.bias", {c});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    add(block_name(layer, "attention_norm.weight"), {c});
    add(block_name(layer, "attention_norm.bias"), {c});
    add(block_name(layer, "attention.query_key_value.weight"), {3 * c, c});
    add(block_name(layer, "attention.query_key_value.bias"), {3 * c});
    add(block_name(layer, "attention.output.weight"), {c, c});
    add(block_name(layer, "attention.output.bias"), {c});
    add(block_name(layer, "feed_forward_norm.weight"), {c});
    add(block_name(layer, "feed_forward_norm.bias"), {c});
    add(block_name(layer, "feed_forward.up.weight"), {f, c});
    add(block_name(layer, "feed_forward.up.bias"), {f});
    add(block_name(layer, "feed_forward.down.weight"), {c, f});
    add(block_name(layer, "feed_forward.down.bias"), {c});
  }
  return result;
}

std::vector<double> logits(const model::shape::Config& config, const Tensors& parameters, const Text& text) {
  return forward(config, parameters, text).logits.values;
}

std::vector<double> nll(const model::shape::Config& config, const Tensors& parameters, const Text& text) {
  const Matrix scores = forward(config, parameters, text).logits;
  std::vector<double> result(text.inputs.size(), 0.0);
  for (std::int64_t t = 0; t < scores.rows; ++t) {
    if (text.targets[t] == kNoTarget) continue;
    // log of the sum of exponentials of the differences to the target's own score.
    double largest = 0;
    for (std::int64_t v = 0; v < scores.columns; ++v) {
      largest = std::max(largest, scores(t, v) - scores(t, text.targets[t]));
    }
    double total = 0;
    for (std::int64_t v = 0; v < scores.columns; ++v) {
      total += std::exp(scores(t, v) - scores(t, text.targets[t]) - largest);
    }
    result[t] = largest + std::log(total);
  }
  return result;
}

double loss(const model::shape::Config& config, const Tensors& parameters, const std::vector<Text>& texts) {
  double total = 0;
  for (const Text& text : texts) {
    for (const double nats : nll(config, parameters, text)) total += nats;
  }
  return total;
}

Tensors gradients(const model::shape::Config& config, const Tensors& parameters, const std::vector<Text>& texts) {
  Tensors result = zero_parameters(config);
  for (const Text& text : texts) add_gradients(config, parameters, text, result);
  return result;
}

}  // namespace chainrule::tests::oracle
