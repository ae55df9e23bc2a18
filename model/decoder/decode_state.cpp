#include "model/decoder/decode_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/arena.h"
#include "model/decoder/layer.h"
#include "model/error.h"
#include "model/ops/embedding.h"
#include "model/ops/layer_norm.h"
#include "model/ops/linear.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {
namespace {

constexpr std::int64_t kPrefillRows = 1024;  // prompts are read together up to this many rows
constexpr std::int64_t kRowMultiple = 32;    // a prefill's rows are rounded up to it, so that few products are built

}  // namespace

struct DecodeState::State {
  State(const shape::Config& with_config, const DecodeOptions& with_options, ops::Ops& with_ops);

  void check(std::span<const float> parameters, std::int64_t slot, std::uint32_t token) const;
  /// One product's worth of prompts; their logits become rows first_row onwards.
  void prefill_group(const float* parameters, std::span<const SlotPrompt> prompts, std::int64_t first_row);
  /// hidden [rows, C] before the final norm -> logits rows first_row onwards.
  void head(const float* parameters, const float* hidden, std::int64_t rows, std::int64_t first_row);
  float* residual(std::int64_t layer) { return residuals.data() + layer % 2 * maximum_rows * config.width; }

  shape::Config config;
  DecodeOptions options;
  ops::Ops& ops;
  shape::ParameterTable table;
  std::vector<LayerParameters> layers;
  std::int64_t maximum_rows;
  std::int64_t logits_stride;
  ops::CacheShape cache_shape;
  std::vector<std::int64_t> lengths;  // of each slot
  std::int64_t rows_with_logits = 0;

  Arena cache;      // [layers, slots, 2, heads, capacity, head_width]
  Arena residuals;  // [2, maximum_rows, C]
  Arena activation_memory, scratch_memory;
  LayerActivations activations;
  LayerScratch scratch;
  Arena last;                                  // [slots, C], the last row of each prompt
  Arena normalised;                            // [slots, C]
  Arena moments;                               // [2, slots]
  Arena logits;                                // [slots, logits_stride]
  std::vector<std::uint32_t> inputs, targets;  // of a prefill
  std::vector<ops::Sequence> sequences;
  std::vector<ops::StepRow> step_rows;
};

DecodeState::State::State(const shape::Config& with_config, const DecodeOptions& with_options, ops::Ops& with_ops)
    : config(with_config),
      options(with_options),
      ops(with_ops),
      table(config),
      maximum_rows(round_up(std::max({options.capacity, options.slots, kPrefillRows}), kRowMultiple)),
      logits_stride(round_up(config.vocabulary_size, 16)),
      cache_shape{attention_shape(config), options.capacity},
      lengths(static_cast<std::size_t>(std::max<std::int64_t>(options.slots, 0)), 0),
      activation_memory(LayerActivations::elements(config, maximum_rows)),
      scratch_memory(LayerScratch::elements(config, maximum_rows, false)),
      activations(config, maximum_rows, activation_memory.data()),
      scratch(config, maximum_rows, false, scratch_memory.data()) {
  if (options.slots < 1) throw Error("decoding needs at least one slot");
  if (options.capacity < 1 || options.capacity > config.sequence_length) {
    throw Error(fmt::format("room for {} tokens a sequence, the model's context is {}", options.capacity,
                            config.sequence_length));
  }
  for (std::int64_t layer = 0; layer < config.layers; ++layer) layers.emplace_back(table, layer);
  cache = Arena(config.layers * options.slots * cache_shape.slot_elements());
  residuals = Arena(2 * maximum_rows * config.width);
  last = Arena(options.slots * config.width);
  normalised = Arena(options.slots * config.width);
  moments = Arena(2 * options.slots);
  logits = Arena(options.slots * logits_stride);
}

void DecodeState::State::check(std::span<const float> parameters, std::int64_t slot, std::uint32_t token) const {
  if (static_cast<std::int64_t>(parameters.size()) != table.arena_size()) {
    throw Error(
        fmt::format("a parameter arena of {} elements, the model has {}", parameters.size(), table.arena_size()));
  }
  if (slot < 0 || slot >= options.slots) throw Error(fmt::format("slot {} of {}", slot, options.slots));
  if (token >= config.vocabulary_size) {
    throw Error(fmt::format("token {} is outside the vocabulary of {}", token, config.vocabulary_size));
  }
}

void DecodeState::State::head(const float* parameters, const float* hidden, std::int64_t rows, std::int64_t first_row) {
  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = config.width,
                                .epsilon = config.normalization_epsilon,
                                .x = hidden,
                                .gain = parameters + table.find("final_norm.weight").offset,
                                .bias = parameters + table.find("final_norm.bias").offset,
                                .output = normalised.data(),
                                .mean = moments.data(),
                                .inverse_deviation = moments.data() + options.slots});
  ops.run(ops::LinearForward{.rows = rows,
                             .in = config.width,
                             .out = config.vocabulary_size,
                             .x = normalised.data(),
                             .weight = parameters + table.find("token_embedding.weight").offset,
                             .output = logits.data() + first_row * logits_stride,
                             .output_stride = logits_stride});
}

void DecodeState::State::prefill_group(const float* parameters, std::span<const SlotPrompt> prompts,
                                       std::int64_t first_row) {
  inputs.clear();
  sequences.clear();
  step_rows.clear();
  for (const SlotPrompt& prompt : prompts) {
    const auto count = static_cast<std::int64_t>(prompt.tokens.size());
    sequences.push_back({static_cast<std::int64_t>(inputs.size()), count});
    inputs.insert(inputs.end(), prompt.tokens.begin(), prompt.tokens.end());
    for (std::int64_t i = 0; i < count; ++i)
      step_rows.push_back({prompt.tokens[static_cast<std::size_t>(i)], prompt.slot, i});
  }
  const std::int64_t rows = round_up(static_cast<std::int64_t>(inputs.size()), kRowMultiple);
  inputs.resize(static_cast<std::size_t>(rows), 0);
  targets.assign(inputs.size(), ops::kNotScored);
  const ops::Batch batch{inputs, targets, sequences};

  ops.run(ops::EmbeddingForward{.batch = batch,
                                .width = config.width,
                                .token_embedding = parameters + table.find("token_embedding.weight").offset,
                                .position_embedding = parameters + table.find("position_embedding.weight").offset,
                                .output = residual(0)});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    layer_forward(config, layers[static_cast<std::size_t>(layer)], parameters, batch, ops, residual(layer), activations,
                  scratch, residual(layer + 1));
    ops.run(ops::CacheWrite{.rows = step_rows,
                            .shape = cache_shape,
                            .query_key_value = activations.query_key_value,
                            .cache = cache.data() + layer * options.slots * cache_shape.slot_elements()});
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const float* from = residual(config.layers) + (sequences[i].first_row + sequences[i].rows - 1) * config.width;
    std::copy_n(from, config.width, last.data() + static_cast<std::int64_t>(i) * config.width);
    lengths[static_cast<std::size_t>(prompts[i].slot)] = sequences[i].rows;
  }
  head(parameters, last.data(), static_cast<std::int64_t>(prompts.size()), first_row);
}

DecodeState::DecodeState(const shape::Config& config, const DecodeOptions& options, ops::Ops& ops)
    : state_(std::make_unique<State>(config, options, ops)) {}
DecodeState::~DecodeState() = default;

void DecodeState::prefill(std::span<const float> parameters, std::span<const SlotPrompt> prompts) {
  State& s = *state_;
  if (static_cast<std::int64_t>(prompts.size()) > s.options.slots) throw Error("prefill: more prompts than slots");
  for (const SlotPrompt& prompt : prompts) {
    if (prompt.tokens.empty()) throw Error("prefill: an empty prompt");
    if (static_cast<std::int64_t>(prompt.tokens.size()) > s.options.capacity) {
      throw Error(fmt::format("prefill: a prompt of {} tokens, there is room for {}", prompt.tokens.size(),
                              s.options.capacity));
    }
    for (const std::uint32_t token : prompt.tokens) s.check(parameters, prompt.slot, token);
  }
  std::size_t first = 0;
  while (first < prompts.size()) {
    std::int64_t rows = 0;
    std::size_t end = first;
    while (end < prompts.size()) {
      rows += static_cast<std::int64_t>(prompts[end].tokens.size());
      if (end > first && rows > s.maximum_rows) break;
      ++end;
    }
    s.prefill_group(parameters.data(), prompts.subspan(first, end - first), static_cast<std::int64_t>(first));
    first = end;
  }
  s.rows_with_logits = static_cast<std::int64_t>(prompts.size());
}

void DecodeState::step(std::span<const float> parameters, std::span<const SlotToken> tokens) {
  State& s = *state_;
  if (tokens.empty()) throw Error("step: no tokens");
  s.step_rows.clear();
  for (const SlotToken& each : tokens) {
    s.check(parameters, each.slot, each.token);
    const std::int64_t position = s.lengths[static_cast<std::size_t>(each.slot)];
    if (position >= s.options.capacity) {
      throw Error(fmt::format("step: slot {} is full with {} tokens", each.slot, position));
    }
    s.step_rows.push_back({each.token, each.slot, position});
  }
  const float* p = parameters.data();
  s.ops.run(ops::EmbeddingStep{.rows = s.step_rows,
                               .width = s.config.width,
                               .token_embedding = p + s.table.find("token_embedding.weight").offset,
                               .position_embedding = p + s.table.find("position_embedding.weight").offset,
                               .output = s.residual(0)});
  for (std::int64_t layer = 0; layer < s.config.layers; ++layer) {
    layer_step(s.config, s.layers[static_cast<std::size_t>(layer)], p, s.step_rows, s.ops, s.cache_shape,
               s.cache.data() + layer * s.options.slots * s.cache_shape.slot_elements(), s.residual(layer),
               s.activations, s.scratch, s.residual(layer + 1));
  }
  for (const SlotToken& each : tokens) ++s.lengths[static_cast<std::size_t>(each.slot)];
  s.rows_with_logits = static_cast<std::int64_t>(tokens.size());
  s.head(p, s.residual(s.config.layers), s.rows_with_logits, 0);
}

void DecodeState::copy(std::int64_t from, std::int64_t to) {
  State& s = *state_;
  if (from < 0 || from >= s.options.slots || to < 0 || to >= s.options.slots) throw Error("copy: no such slot");
  if (from == to) return;
  const std::int64_t slot = s.cache_shape.slot_elements();
  for (std::int64_t layer = 0; layer < s.config.layers; ++layer) {
    float* cache = s.cache.data() + layer * s.options.slots * slot;
    std::copy_n(cache + from * slot, slot, cache + to * slot);
  }
  s.lengths[static_cast<std::size_t>(to)] = s.lengths[static_cast<std::size_t>(from)];
}

std::span<const float> DecodeState::logits(std::int64_t i) const {
  if (i < 0 || i >= state_->rows_with_logits) throw Error(fmt::format("logits: no row {}", i));
  return {state_->logits.data() + i * state_->logits_stride, static_cast<std::size_t>(state_->config.vocabulary_size)};
}

std::int64_t DecodeState::length(std::int64_t slot) const { return state_->lengths.at(static_cast<std::size_t>(slot)); }
std::int64_t DecodeState::capacity() const { return state_->options.capacity; }
std::int64_t DecodeState::slots() const { return state_->options.slots; }

std::int64_t decode_weight_bytes(const shape::Config& config) {
  return static_cast<std::int64_t>(sizeof(float)) *
         (shape::parameter_count(config) - config.sequence_length * config.width);
}

}  // namespace chainrule::model::decoder
