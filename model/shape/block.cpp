#include "model/shape/block.h"

#include <algorithm>

#include "model/round_up.h"

namespace chainrule::model::shape {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: a cache line of float32

std::int64_t padded(std::int64_t elements) { return round_up(elements, kAlignment); }

Parameter vector(const std::string& name, std::int64_t width, Initial initial) {
  return {.name = name, .shape = {width}, .initial = initial};
}

}  // namespace

std::vector<Parameter> Block::parameters() const {
  std::vector<Parameter> all;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->weight) all.push_back(*part->weight);
    if (part->bias) all.push_back(*part->bias);
  }
  return all;
}

std::size_t Block::values_after(std::size_t first_parts) const {
  // Each part has added its output first, then its statistics.
  return first_parts < parts.size() ? parts[first_parts].output : values.size();
}

std::int64_t Block::saved_elements(std::int64_t rows, std::size_t first_values) const {
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < first_values; ++i) {
    if (values[i].place == Value::Place::saved) elements += padded(rows * values[i].width);
  }
  return elements;
}

std::int64_t Block::buffer_elements(std::int64_t rows, bool backward) const {
  std::int64_t elements = 0;
  for (std::size_t each = 0; each < (backward ? kBuffers : kForwardBuffers); ++each) {
    elements += padded(rows * buffer_widths[each]);
  }
  return elements;
}

BlockBuilder::BlockBuilder(const Config& config) : config_(config), attention_(attention_shape(config)) {
  add_value({"input", config.width, Value::Place::stream, {}, Buffer::stream_gradient});
}

BlockBuilder& BlockBuilder::norm(const std::string& name, bool saved) {
  current_ = stream_;
  const bool centred = config_.normalization == Normalization::layer_norm;
  const Value::Place place = saved ? Value::Place::saved : Value::Place::buffer;
  const std::size_t output = add_value({name, config_.width, place, Buffer::normalised, Buffer::branch_gradient});
  Part& part = add_part(centred ? PartKind::layer_norm : PartKind::rms_norm, name, output);
  if (centred) {
    part.statistics = add_saved(name + ".mean", 1);
    add_saved(name + ".inverse_deviation", 1);
    if (config_.biases == Biases::all) part.bias = vector(name + ".bias", config_.width, Initial::zero);
  } else {
    part.statistics = add_saved(name + ".inverse_root_mean_square", 1);
  }
  part.epsilon = config_.normalization_epsilon;
  part.weight = vector(name + ".weight", config_.width, Initial::one);
  return *this;
}

BlockBuilder& BlockBuilder::query_key_value(const std::string& name) {
  const std::int64_t width = attention_.row_width();
  const auto value = [&](const char* of, bool saved) {
    return Value{of, width, saved ? Value::Place::saved : Value::Place::buffer, Buffer::projected,
                 Buffer::query_key_value_gradient};
  };
  const bool turned = config_.position_encoding == PositionEncoding::rotary;
  // Backward reads what attention read, and what the norm of queries and keys read; it turns gradients without the
  // rows.
  linear(name, value("query_key_value", config_.query_key_norm || !turned), config_.biases != Biases::none);
  if (config_.query_key_norm) {
    Part& part = add_part(PartKind::query_key_norm, "attention.query_key_norm",
                          add_value(value("normalised_query_key_value", !turned)));
    part.attention = attention_;
    part.statistics =
        add_saved("attention.query_key_norm.inverse_root_mean_square", attention_.heads + attention_.key_value_heads);
    part.epsilon = config_.normalization_epsilon;
    part.weight = vector("attention.query_key_norm.weight", 2 * attention_.head_width, Initial::one);
  }
  if (turned) {
    add_part(PartKind::rotary, "attention.rotary", add_value(value("turned_query_key_value", true))).attention =
        attention_;
  }
  return *this;
}

BlockBuilder& BlockBuilder::attention() {
  const std::size_t output =
      add_value({"attention", attention_.query_width(), Value::Place::saved, {}, Buffer::branch_gradient});
  Part& part = add_part(PartKind::attention, "attention", output);
  part.attention = attention_;
  part.statistics = add_saved("log_sum_exp", attention_.heads);
  block_.attention_parts = block_.parts.size();
  return *this;
}

BlockBuilder& BlockBuilder::up(const std::string& name) {
  const std::int64_t products = config_.activation == Activation::swiglu ? 2 : 1;
  linear(name, {"up", products * config_.feed_forward_width, Value::Place::saved, {}, Buffer::feed_forward_gradient},
         config_.biases == Biases::all);
  return *this;
}

BlockBuilder& BlockBuilder::activation() {
  // Backward of one product's activation turns the gradient of its output into that of its input in place.
  const auto activated = [&](Buffer gradient) {
    return add_value({"activated", config_.feed_forward_width, Value::Place::buffer, Buffer::activated, gradient});
  };
  switch (config_.activation) {
    case Activation::gelu_tanh: add_part(PartKind::gelu, "gelu", activated(Buffer::feed_forward_gradient)); break;
    case Activation::relu_squared:
      add_part(PartKind::relu_squared, "relu_squared", activated(Buffer::feed_forward_gradient));
      break;
    case Activation::swiglu: add_part(PartKind::swiglu, "swiglu", activated(Buffer::activated_gradient)); break;
  }
  return *this;
}

BlockBuilder& BlockBuilder::linear_into_stream(const std::string& name, bool last) {
  const std::size_t before = stream_;
  linear(name,
         {last ? "output" : "middle",
          config_.width,
          last ? Value::Place::stream : Value::Place::saved,
          {},
          Buffer::stream_gradient},
         config_.biases == Biases::all);
  stream_ = current_;
  Part& part = block_.parts.back();
  part.added_to = before;
  part.weight->initial = config_.zero_residuals ? Initial::zero : Initial::normal_into_stream;
  return *this;
}

Block BlockBuilder::build() {
  for (std::size_t i = 0; i < block_.parts.size(); ++i) {
    if (block_.values[block_.parts[i].output].place == Value::Place::saved) block_.saving_parts = i + 1;
  }
  for (const Value& value : block_.values) {
    const auto reserve = [&](Buffer buffer) {
      std::int64_t& width = block_.buffer_widths[static_cast<std::size_t>(buffer)];
      width = std::max(width, value.width);
    };
    if (value.place == Value::Place::buffer) reserve(value.buffer);
    if (value.gradient) reserve(*value.gradient);
  }
  for (auto part = block_.parts.rbegin(); part != block_.parts.rend(); ++part) {
    for (std::optional<Parameter>* parameter : {&part->weight, &part->bias}) {
      if (!*parameter) continue;
      (*parameter)->offset = block_.parameter_elements;
      block_.parameter_elements = padded(block_.parameter_elements + (*parameter)->size());
    }
  }
  return std::move(block_);
}

std::size_t BlockBuilder::add_value(Value value) {
  block_.values.push_back(std::move(value));
  return block_.values.size() - 1;
}

std::size_t BlockBuilder::add_saved(const std::string& name, std::int64_t width) {
  return add_value({name, width, Value::Place::saved, {}, std::nullopt});
}

void BlockBuilder::linear(const std::string& name, Value output, bool biased) {
  const std::int64_t out = output.width;
  const Parameter weight = matrix(name + ".weight", out);
  Part& part = add_part(PartKind::linear, name, add_value(std::move(output)));
  part.weight = weight;
  if (biased) part.bias = vector(name + ".bias", out, Initial::zero);
}

Part& BlockBuilder::add_part(PartKind kind, const std::string& name, std::size_t output) {
  Part& part = block_.parts.emplace_back();
  part.kind = kind;
  part.name = name;
  part.input = current_;
  part.output = output;
  current_ = output;
  return part;
}

Parameter BlockBuilder::matrix(const std::string& name, std::int64_t out) const {
  return {.name = name,
          .shape = {out, block_.values[current_].width},
          .decay = true,
          .initial = Initial::normal,
          .in_products = true};
}

}  // namespace chainrule::model::shape
