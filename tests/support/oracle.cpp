#include "tests/support/oracle.h"

#include <algorithm>
#include <cmath>

#include "tests/support/oracle_layers.h"

namespace chainrule::tests::oracle {
namespace {

using model::shape::Activation;
using model::shape::Biases;
using model::shape::Config;
using model::shape::Normalization;
using model::shape::PositionEncoding;

/// What a block's backward needs of its forward.
struct BlockActivations {
  Matrix input;
  Matrix attention_input;
  Matrix query_key_value;
  Matrix attended_over;  ///< normalised and turned
  Matrix attended;
  Matrix middle;
  Matrix feed_forward_input;
  Matrix up;
};

struct Activations {
  std::vector<BlockActivations> blocks;
  Matrix last;    ///< output of the last block
  Matrix hidden;  ///< after the final norm
  Matrix uncapped;
  Matrix logits;
};

std::string block_name(std::int64_t layer, const std::string& name) {
  return "layers." + std::to_string(layer) + "." + name;
}

Heads heads_of(const Config& config) {
  return {config.heads, config.key_value_heads != 0 ? config.key_value_heads : config.heads,
          config.head_width != 0 ? config.head_width : config.width / config.heads, config.attention_window};
}

/// A bias that may not be there.
const Tensor& find(const Tensors& tensors, const std::string& name) {
  static const Tensor none;
  const auto found = tensors.find(name);
  return found == tensors.end() ? none : found->second;
}

Tensor& find(Tensors& tensors, const std::string& name) {
  static Tensor none;
  const auto found = tensors.find(name);
  return found == tensors.end() ? none : found->second;
}

Matrix norm(const Config& config, const Tensors& parameters, const Matrix& x, const std::string& name) {
  const Tensor& gain = parameters.at(name + ".weight");
  if (config.normalization == Normalization::rms_norm) return rms_norm(x, gain, config.normalization_epsilon);
  return layer_norm(x, gain, find(parameters, name + ".bias"), config.normalization_epsilon);
}

Matrix norm_backward(const Config& config, const Tensors& parameters, const Matrix& output_gradient, const Matrix& x,
                     const std::string& name, Tensors& result) {
  const Tensor& gain = parameters.at(name + ".weight");
  Tensor& gain_gradient = result.at(name + ".weight");
  if (config.normalization == Normalization::rms_norm) {
    return rms_norm_backward(output_gradient, x, gain, config.normalization_epsilon, gain_gradient);
  }
  return layer_norm_backward(output_gradient, x, gain, config.normalization_epsilon, gain_gradient,
                             find(result, name + ".bias"));
}

Matrix product_of(const Tensors& parameters, const Matrix& x, const std::string& name) {
  return linear(x, parameters.at(name + ".weight"), find(parameters, name + ".bias"));
}

Matrix product_backward(const Tensors& parameters, const Matrix& output_gradient, const Matrix& x,
                        const std::string& name, Tensors& result) {
  return linear_backward(output_gradient, x, parameters.at(name + ".weight"), result.at(name + ".weight"),
                         find(result, name + ".bias"));
}

std::string up_name(const Config& config) {
  return config.activation == Activation::swiglu ? "feed_forward.gate_up" : "feed_forward.up";
}

Matrix activation(const Config& config, const Matrix& x) {
  switch (config.activation) {
    case Activation::swiglu: return swiglu(x);
    case Activation::relu_squared: return relu_squared(x);
    case Activation::gelu_tanh: break;
  }
  return gelu(x);
}

Matrix activation_backward(const Config& config, const Matrix& output_gradient, const Matrix& x) {
  switch (config.activation) {
    case Activation::swiglu: return swiglu_backward(output_gradient, x);
    case Activation::relu_squared: return relu_squared_backward(output_gradient, x);
    case Activation::gelu_tanh: break;
  }
  return gelu_backward(output_gradient, x);
}

/// Queries, keys and values as attention takes them.
Matrix prepared(const Config& config, const Tensors& parameters, Matrix x, std::int64_t layer) {
  const Heads heads = heads_of(config);
  if (config.query_key_norm) {
    x = query_key_norm(x, heads, parameters.at(block_name(layer, "attention.query_key_norm.weight")),
                       config.normalization_epsilon);
  }
  if (config.position_encoding == PositionEncoding::rotary) x = rotary(x, heads, config.rotary.theta, 1.0);
  return x;
}

Matrix prepared_backward(const Config& config, const Tensors& parameters, Matrix gradient, const Matrix& x,
                         std::int64_t layer, Tensors& result) {
  const Heads heads = heads_of(config);
  if (config.position_encoding == PositionEncoding::rotary) {
    gradient = rotary(gradient, heads, config.rotary.theta, -1.0);
  }
  if (!config.query_key_norm) return gradient;
  const std::string name = block_name(layer, "attention.query_key_norm.weight");
  return query_key_norm_backward(gradient, x, heads, parameters.at(name), config.normalization_epsilon,
                                 result.at(name));
}

std::string head_name(const Config& config) { return config.tied_head ? "token_embedding" : "head"; }

Activations forward(const Config& config, const Tensors& parameters, const Text& text) {
  const auto rows = static_cast<std::int64_t>(text.inputs.size());
  const Tensor& tokens = parameters.at("token_embedding.weight");
  Matrix x(rows, config.width);
  for (std::int64_t t = 0; t < rows; ++t) {
    for (std::int64_t c = 0; c < config.width; ++c) {
      x(t, c) = tokens.values.at(text.inputs[t] * config.width + c);
      if (config.position_encoding == PositionEncoding::learned) {
        x(t, c) += parameters.at("position_embedding.weight").values.at(t * config.width + c);
      }
    }
  }
  std::vector<BlockActivations> blocks;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const auto name = [&](const std::string& of) { return block_name(layer, of); };
    const Matrix attention_input = norm(config, parameters, x, name("attention_norm"));
    const Matrix query_key_value = product_of(parameters, attention_input, name("attention.query_key_value"));
    const Matrix attended_over = prepared(config, parameters, query_key_value, layer);
    const Matrix attended = attention(attended_over, heads_of(config));
    const Matrix middle = sum(x, product_of(parameters, attended, name("attention.output")));
    const Matrix feed_forward_input = norm(config, parameters, middle, name("feed_forward_norm"));
    const Matrix up = product_of(parameters, feed_forward_input, name(up_name(config)));
    blocks.push_back({x, attention_input, query_key_value, attended_over, attended, middle, feed_forward_input, up});
    x = sum(middle, product_of(parameters, activation(config, up), name("feed_forward.down")));
  }
  const Matrix hidden = norm(config, parameters, x, "final_norm");
  const Matrix uncapped = product_of(parameters, hidden, head_name(config));
  const Matrix logits = config.logit_soft_cap != 0 ? soft_cap(uncapped, config.logit_soft_cap) : uncapped;
  return {std::move(blocks), x, hidden, uncapped, logits};
}

/// log of the sum of exponentials of each row [rows, 1].
Matrix log_normalisers(const Matrix& logits) {
  Matrix result(logits.rows, 1);
  for (std::int64_t t = 0; t < logits.rows; ++t) {
    double largest = logits(t, 0);
    for (std::int64_t v = 1; v < logits.columns; ++v) largest = std::max(largest, logits(t, v));
    double total = 0;
    for (std::int64_t v = 0; v < logits.columns; ++v) total += std::exp(logits(t, v) - largest);
    result(t, 0) = largest + std::log(total);
  }
  return result;
}

/// d (sum of nll and of z_loss (log Z)^2) / d logits.
Matrix logits_gradient(const Matrix& logits, const Text& text, double z_loss) {
  Matrix gradient = softmax(logits);
  const Matrix log_z = log_normalisers(logits);
  for (std::int64_t t = 0; t < gradient.rows; ++t) {
    if (text.targets[t] != kNoTarget) {
      // d log Z / d logits is the softmax.
      for (std::int64_t v = 0; v < gradient.columns; ++v) gradient(t, v) += 2 * z_loss * log_z(t, 0) * gradient(t, v);
      gradient(t, text.targets[t]) -= 1.0;
    } else {
      for (std::int64_t v = 0; v < gradient.columns; ++v) gradient(t, v) = 0.0;
    }
  }
  return gradient;
}

void add_gradients(const Config& config, const Tensors& parameters, const Text& text, double z_loss, Tensors& result) {
  const Activations a = forward(config, parameters, text);
  Matrix gradient = logits_gradient(a.logits, text, z_loss);
  if (config.logit_soft_cap != 0) gradient = soft_cap_backward(gradient, a.uncapped, config.logit_soft_cap);
  gradient = product_backward(parameters, gradient, a.hidden, head_name(config), result);
  gradient = norm_backward(config, parameters, gradient, a.last, "final_norm", result);
  for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
    const BlockActivations& block = a.blocks[layer];
    const auto name = [&](const std::string& of) { return block_name(layer, of); };
    Matrix inner =
        product_backward(parameters, gradient, activation(config, block.up), name("feed_forward.down"), result);
    inner = activation_backward(config, inner, block.up);
    inner = product_backward(parameters, inner, block.feed_forward_input, name(up_name(config)), result);
    inner = norm_backward(config, parameters, inner, block.middle, name("feed_forward_norm"), result);
    gradient = sum(gradient, inner);
    inner = product_backward(parameters, gradient, block.attended, name("attention.output"), result);
    inner = attention_backward(inner, block.attended_over, heads_of(config));
    inner = prepared_backward(config, parameters, inner, block.query_key_value, layer, result);
    inner = product_backward(parameters, inner, block.attention_input, name("attention.query_key_value"), result);
    inner = norm_backward(config, parameters, inner, block.input, name("attention_norm"), result);
    gradient = sum(gradient, inner);
  }
  for (std::int64_t t = 0; t < gradient.rows; ++t) {
    for (std::int64_t c = 0; c < config.width; ++c) {
      result.at("token_embedding.weight").values[text.inputs[t] * config.width + c] += gradient(t, c);
      if (config.position_encoding != PositionEncoding::learned) continue;
      result.at("position_embedding.weight").values[t * config.width + c] += gradient(t, c);
    }
  }
}

}  // namespace

Tensors zero_parameters(const Config& config) {
  Tensors result;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    result[name] = {std::move(shape), std::vector<double>(size, 0.0)};
  };
  const std::int64_t c = config.width;
  const std::int64_t f = config.feed_forward_width;
  const bool all_biases = config.biases == Biases::all;
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in, bool biased) {
    add(name + ".weight", {out, in});
    if (biased) add(name + ".bias", {out});
  };
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {c});
    if (config.normalization == Normalization::layer_norm && all_biases) add(name + ".bias", {c});
  };
  add("token_embedding.weight", {config.vocabulary_size, c});
  if (config.position_encoding == PositionEncoding::learned) {
    add("position_embedding.weight", {config.sequence_length, c});
  }
  if (!config.tied_head) add("head.weight", {config.vocabulary_size, c});
  add_norm("final_norm");
  const Heads heads = heads_of(config);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const auto name = [&](const std::string& of) { return block_name(layer, of); };
    add_norm(name("attention_norm"));
    add_linear(name("attention.query_key_value"), heads.columns(), c, config.biases != Biases::none);
    if (config.query_key_norm) add(name("attention.query_key_norm.weight"), {2 * heads.width});
    add_linear(name("attention.output"), c, heads.queries * heads.width, all_biases);
    add_norm(name("feed_forward_norm"));
    add_linear(name(up_name(config)), config.activation == Activation::swiglu ? 2 * f : f, c, all_biases);
    add_linear(name("feed_forward.down"), c, f, all_biases);
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

double squared_log_normalisers(const model::shape::Config& config, const Tensors& parameters,
                               const std::vector<Text>& texts) {
  double total = 0;
  for (const Text& text : texts) {
    const Matrix log_z = log_normalisers(forward(config, parameters, text).logits);
    for (std::int64_t t = 0; t < log_z.rows; ++t) {
      if (text.targets[t] != kNoTarget) total += log_z(t, 0) * log_z(t, 0);
    }
  }
  return total;
}

Tensors gradients(const model::shape::Config& config, const Tensors& parameters, const std::vector<Text>& texts,
                  double z_loss) {
  Tensors result = zero_parameters(config);
  for (const Text& text : texts) add_gradients(config, parameters, text, z_loss, result);
  return result;
}

}  // namespace chainrule::tests::oracle
