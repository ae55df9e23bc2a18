#include "model/shape/block.h"

#include <algorithm>

#include "model/round_up.h"

namespace chainrule::model::shape {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: a cache line of float32

std::int64_t padded(std::int64_t elements) { return round_up(elements, kAlignment); }

}  // namespace

std::vector<Parameter> Block::parameters() const {
  std::vector<Parameter> all;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->weight) all.push_back(*part->weight);
    if (part->bias) all.push_back(*part->bias);
  }
  return all;
}

std::int64_t Block::saved_elements(std::int64_t rows) const {
  std::int64_t elements = 0;
  for (const Value& value : values) {
    if (value.place == Value::Place::saved) elements += padded(rows * value.width);
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

BlockBuilder::BlockBuilder(std::int64_t width, float epsilon) : width_(width), epsilon_(epsilon) {
  add_value({"input", width, Value::Place::stream, {}, Buffer::stream_gradient});
}

BlockBuilder& BlockBuilder::layer_norm(const std::string& name, bool saved) {
  current_ = stream_;
  const std::size_t output = add_value(
      {name, width_, saved ? Value::Place::saved : Value::Place::buffer, Buffer::normalised, Buffer::branch_gradient});
  Part& part = add_part(PartKind::layer_norm, name, output);
  part.statistics = add_saved(name + ".mean", 1);
  add_saved(name + ".inverse_deviation", 1);
  part.epsilon = epsilon_;
  part.weight = vector(name + ".weight", width_, Initial::one);
  part.bias = vector(name + ".bias", width_, Initial::zero);
  return *this;
}

BlockBuilder& BlockBuilder::linear(const std::string& name, const std::string& output, std::int64_t out,
                                   Buffer gradient) {
  const std::optional<Parameter> weight = matrix(name + ".weight", out, Initial::normal);
  Part& part = add_part(PartKind::linear, name, add_value({output, out, Value::Place::saved, {}, gradient}));
  part.weight = weight;
  part.bias = vector(name + ".bias", out, Initial::zero);
  return *this;
}

BlockBuilder& BlockBuilder::attention(const AttentionShape& shape) {
  const std::size_t output =
      add_value({"attention", shape.query_width(), Value::Place::saved, {}, Buffer::branch_gradient});
  Part& part = add_part(PartKind::attention, "attention", output);
  part.attention = shape;
  part.statistics = add_saved("log_sum_exp", shape.heads);
  return *this;
}

BlockBuilder& BlockBuilder::gelu() {
  const Value& input = block_.values[current_];
  // Backward turns the gradient of its output into that of its input in place.
  add_part(PartKind::gelu, "gelu",
           add_value({"activated", input.width, Value::Place::buffer, Buffer::activated, input.gradient}));
  return *this;
}

BlockBuilder& BlockBuilder::linear_into_stream(const std::string& name, bool last) {
  const std::optional<Parameter> weight = matrix(name + ".weight", width_, Initial::normal_into_stream);
  const std::size_t before = stream_;
  stream_ = add_value({last ? "output" : "middle",
                       width_,
                       last ? Value::Place::stream : Value::Place::saved,
                       {},
                       Buffer::stream_gradient});
  Part& part = add_part(PartKind::linear, name, stream_);
  part.added_to = before;
  part.weight = weight;
  part.bias = vector(name + ".bias", width_, Initial::zero);
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

Part& BlockBuilder::add_part(PartKind kind, const std::string& name, std::size_t output) {
  Part& part = block_.parts.emplace_back();
  part.kind = kind;
  part.name = name;
  part.input = current_;
  part.output = output;
  current_ = output;
  return part;
}

std::optional<Parameter> BlockBuilder::matrix(const std::string& name, std::int64_t out, Initial initial) const {
  return Parameter{.name = name,
                   .shape = {out, block_.values[current_].width},
                   .decay = true,
                   .initial = initial,
                   .in_products = true};
}

std::optional<Parameter> BlockBuilder::vector(const std::string& name, std::int64_t width, Initial initial) const {
  return Parameter{.name = name, .shape = {width}, .initial = initial};
}

}  // namespace chainrule::model::shape
