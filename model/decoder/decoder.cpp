#include "model/decoder/decoder_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/decoder/loss_blocks.h"
#include "model/error.h"
#include "model/ops/cross_entropy.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {
namespace {

const DecoderOptions& checked(const DecoderOptions& options) {
  if (options.maximum_rows < 1) throw Error("a decoder needs room for at least one row");
  return options;
}

/// Parts of a layer whose values are not kept until backward; evaluation keeps none.
std::size_t parts_not_kept(const shape::Block& layer, const DecoderOptions& options) {
  if (options.purpose == Purpose::evaluate) return layer.saving_parts;
  switch (options.recompute) {
    case Recompute::none: return 0;
    case Recompute::attention: return layer.attention_parts;
    case Recompute::full: break;
  }
  return layer.saving_parts;
}

}  // namespace

DecoderSizes::DecoderSizes(const shape::ParameterTable& table, const DecoderOptions& options) {
  const shape::Description& model = table.description();
  const bool train = options.purpose == Purpose::train;
  const std::int64_t rows = options.maximum_rows;
  residuals = (train ? model.layers + 1 : 2) * rows * model.layer.input().width;
  shared_parts = parts_not_kept(model.layer, options);
  shared = model.layer.saved_elements(rows, model.layer.values_after(shared_parts));
  own_sets = model.layers;
  own = model.layer.saved_elements(rows) - shared;
  ending = model.ending.saved_elements(rows);
  // Not loss_block_rows(rows): a smaller batch may be cut into fewer and larger blocks.
  logits = std::min(kLossRows, rows) * round_up(model.head.out(), 16);
  buffers = model.layer.buffer_elements(rows, train);
}

Decoder::State::State(const shape::Config& with_config, const DecoderOptions& with_options, ops::Ops& with_ops)
    : network(with_config, with_ops),
      options(checked(with_options)),
      sizes(network.table, options),
      residuals(sizes.residuals),
      shared_memory(sizes.shared),
      own_memory(sizes.own_sets * sizes.own),
      ending_memory(sizes.ending),
      logits(sizes.logits),
      buffer_memory(sizes.buffers),
      buffers(network.description().layer, options.maximum_rows, options.purpose == Purpose::train,
              buffer_memory.data()),
      ending(network.description().ending, options.maximum_rows, {.own = ending_memory.data()}, buffers),
      hidden(network.hidden(ending)) {
  const shape::Block& layer = network.description().layer;
  for (std::int64_t set = 0; set < sizes.own_sets; ++set) {
    memories.emplace_back(layer, options.maximum_rows,
                          SavedMemory{.own = own_memory.data() + set * sizes.own,
                                      .shared = shared_memory.data(),
                                      .shared_values = layer.values_after(sizes.shared_parts)},
                          buffers);
  }
  late_rows = network.table.find("token_embedding.weight").range();
  for (const shape::Parameter& each : network.table.parameters()) {
    if (!each.in_products) added_to.push_back(each.range());
  }
  scored_rows.reserve(static_cast<std::size_t>(options.maximum_rows));
  scored_targets.reserve(static_cast<std::size_t>(options.maximum_rows));
}

void Decoder::State::check_parent(const ops::Batch& batch, const ops::Sequence& sequence) const {
  if (sequence.parent == ops::kNoParent) {
    if (sequence.position != 0) throw Error("a sequence without a parent that does not begin at position 0");
    return;
  }
  const std::int64_t index = &sequence - batch.sequences.data();
  if (options.purpose == Purpose::train) throw Error("a sequence that continues another: it cannot be trained on");
  if (sequence.parent < 0 || sequence.parent >= index || sequence.position < 1 ||
      sequence.position > batch.sequences[static_cast<std::size_t>(sequence.parent)].length()) {
    throw Error("a sequence that continues no earlier one of its batch");
  }
}

void Decoder::State::check(const weights::Weights& weights, const ops::Batch& batch) const {
  const shape::Config& config = network.config;
  network.check(weights);
  if (batch.rows() < 1 || batch.rows() > options.maximum_rows || batch.targets.size() != batch.inputs.size()) {
    throw Error(fmt::format("a batch of {} rows and {} targets, the decoder was made for up to {}", batch.rows(),
                            batch.targets.size(), options.maximum_rows));
  }
  const auto vocabulary = static_cast<std::uint32_t>(config.vocabulary_size);
  for (std::size_t row = 0; row < batch.inputs.size(); ++row) {
    const std::uint32_t target = batch.targets[row];
    if (batch.inputs[row] >= vocabulary || (target != ops::kNotScored && target >= vocabulary)) {
      throw Error(fmt::format("row {}: a token outside the vocabulary of {}", row, vocabulary));
    }
  }
  std::int64_t covered = 0;
  for (const ops::Sequence& sequence : batch.sequences) {
    if (sequence.length() > config.sequence_length) {
      throw Error(fmt::format("a sequence of {} tokens, longer than the model's context of {}", sequence.length(),
                              config.sequence_length));
    }
    check_parent(batch, sequence);
    if (sequence.first_row < covered || sequence.rows < 1 || sequence.first_row + sequence.rows > batch.rows()) {
      throw Error("a batch's sequences overlap, are empty, or lie outside its rows");
    }
    covered = sequence.first_row + sequence.rows;
  }
}

void Decoder::State::forward(const weights::Weights& weights, const ops::Batch& batch, ParameterGate* gate) {
  const shape::ParameterTable& table = network.table;
  const Rows rows = network.turned({.count = batch.rows(), .batch = &batch});
  const auto need = [&](shape::ParameterRange range) {
    if (gate != nullptr) gate->need(range);
  };
  if (network.description().position_embedding) need(table.position_embedding());
  if (gate != nullptr) gate->need_rows(late_rows, batch.inputs);
  network.embed(weights, rows, residual(0));
  for (std::int64_t layer = 0; layer < network.config.layers; ++layer) {
    need(table.layer(layer));
    decoder::forward(network.layer(layer, weights, rows, residual(layer), residual(layer + 1), memory_of(layer)));
  }
  need(table.ending());
  decoder::forward(network.ending(weights, rows, residual(network.config.layers), ending));
  need(table.head());
}

void Decoder::State::for_each_logits_block(const weights::Weights& weights, std::int64_t rows, LogitsVisitor& visitor) {
  const std::int64_t block = loss_block_rows(rows);
  for (std::int64_t first = 0; first < rows; first += block) {
    const std::int64_t count = std::min(block, rows - first);
    network.head(weights, hidden + first * network.config.width, count, logits.data());
    visitor.visit(first, count, logits.data(), network.logits_stride);
  }
}

void Decoder::State::clear_added_to(shape::ParameterRange place, float* gradients) const {
  for (const shape::ParameterRange& range : added_to) {
    if (range.begin < place.begin || range.end > place.end) continue;
    std::fill(gradients + range.begin, gradients + range.end, 0.0F);
  }
}

void Decoder::State::backward(std::span<const float> parameters, const ops::Batch& batch, float* gradients,
                              bool accumulate, GradientSink* sink) {
  const shape::ParameterTable& table = network.table;
  const Rows rows = network.turned({.count = batch.rows(), .batch = &batch});
  const auto ready = [&](shape::ParameterRange range) {
    if (sink != nullptr) sink->ready(range);
  };
  const auto clear = [&](shape::ParameterRange range) {
    if (!accumulate) clear_added_to(range, gradients);
  };
  const std::int64_t layers = network.config.layers;
  float* stream_gradient = buffers[shape::Buffer::stream_gradient];
  std::memset(stream_gradient, 0, static_cast<std::size_t>(rows.count * network.config.width) * sizeof(float));
  // What lies before the ending in the arena is an output layer of its own.
  if (table.ending().begin > 0) ready({0, table.ending().begin});
  clear(table.ending());
  decoder::backward(network.ending(parameters, rows, residual(layers), ending), gradients + table.ending().begin,
                    accumulate);
  ready(table.ending());
  for (std::int64_t layer = layers - 1; layer >= 0; --layer) {
    const BlockPass pass = network.layer(layer, parameters, rows, residual(layer), nullptr, memory_of(layer));
    // Forward has left the last layer's there.
    if (layer + 1 < layers) forward_first(pass, sizes.shared_parts);
    clear(table.layer(layer));
    decoder::backward(pass, gradients + table.layer(layer).begin, accumulate);
    ready(table.layer(layer));
  }
  if (sink != nullptr) sink->await_late_rows(late_rows);
  clear(table.position_embedding());
  network.embed_backward(batch, stream_gradient, gradients);
  ready({table.layer(0).end, table.arena_size()});
}

Decoder::Decoder(const shape::Config& config, const DecoderOptions& options, ops::Ops& ops)
    : state_(std::make_unique<State>(config, options, ops)) {}
Decoder::~Decoder() = default;

const shape::Config& Decoder::config() const { return state_->network.config; }
const shape::ParameterTable& Decoder::table() const { return state_->network.table; }

std::int64_t Decoder::workspace_bytes() const {
  const State& s = *state_;
  return static_cast<std::int64_t>(sizeof(float)) * (s.residuals.size() + s.shared_memory.size() + s.own_memory.size() +
                                                     s.ending_memory.size() + s.logits.size() + s.buffer_memory.size());
}

std::int64_t workspace_bytes(const shape::ParameterTable& table, const DecoderOptions& options) {
  return static_cast<std::int64_t>(sizeof(float)) * DecoderSizes(table, checked(options)).sum();
}

void Decoder::visit_logits(const weights::Weights& weights, const ops::Batch& batch, LogitsVisitor& visitor) {
  state_->check(weights, batch);
  state_->forward(weights, batch, nullptr);
  state_->for_each_logits_block(weights, batch.rows(), visitor);
}

void Decoder::train(std::span<const float> parameters, const ops::Batch& batch, std::span<float> gradients,
                    Accumulate accumulate, std::span<double> nll, ParameterGate* gate, GradientSink* sink) {
  State& s = *state_;
  if (s.options.purpose != Purpose::train) throw Error("train: this decoder was made for evaluation");
  if (nll.size() != batch.inputs.size()) throw Error("train: one nll a row is needed");
  if (static_cast<std::int64_t>(gradients.size()) != s.network.table.arena_size())
    throw Error("train: gradients of wrong size");
  s.check(parameters, batch);
  s.forward(parameters, batch, gate);
  if (accumulate == Accumulate::no) s.clear_added_to(s.network.table.token_embedding(), gradients.data());
  // Turns logits into their gradients and sends these on to the hidden states and the output layer.
  const auto loss_backward = [&](std::int64_t first, std::int64_t rows, float* logits) {
    s.network.ops.run(ops::CrossEntropyBackward{.rows = rows,
                                                .vocabulary = s.network.config.vocabulary_size,
                                                .logits = logits,
                                                .stride = s.network.logits_stride,
                                                .targets = batch.targets.data() + first,
                                                .nll = nll.data() + first,
                                                .soft_cap = s.network.description().logit_soft_cap,
                                                .z_loss = s.options.z_loss});
    const std::int64_t at = first * s.network.config.width;
    s.network.head_backward(parameters.data(), logits, rows, s.hidden + at, s.network.hidden_gradient(s.ending) + at,
                            gradients.data(), accumulate == Accumulate::yes || first > 0);
  };
  LossVisitor visitor(loss_backward);
  s.for_each_logits_block(parameters, batch.rows(), visitor);
  if (sink != nullptr) sink->ready_but_late_rows(s.late_rows);
  s.backward(parameters, batch, gradients.data(), accumulate == Accumulate::yes, sink);
}

}  // namespace chainrule::model::decoder
