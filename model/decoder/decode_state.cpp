#include "model/decoder/decode_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/arena.h"
#include "model/decoder/network.h"
#include "model/error.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {
namespace {

constexpr std::int64_t kPrefillRows = 1024;  // prompts are read together up to this many rows
constexpr std::int64_t kRowMultiple = 32;    // a prefill's rows are rounded up to it, so that few products are built

const DecodeOptions& checked(const DecodeOptions& options, const shape::Config& config) {
  if (options.slots < 1) throw Error("decoding needs at least one slot");
  if (options.capacity < 1 || options.capacity > config.sequence_length) {
    throw Error(fmt::format("room for {} tokens a sequence, the model's context is {}", options.capacity,
                            config.sequence_length));
  }
  return options;
}

}  // namespace

struct DecodeState::State {
  State(const shape::Config& with_config, const DecodeOptions& with_options, ops::Ops& with_ops);

  void check(const weights::Weights& weights, std::int64_t slot, std::uint32_t token) const;
  /// One product's worth of prompts; their logits become rows first_row onwards.
  void prefill_group(const weights::Weights& weights, std::span<const SlotPrompt> prompts, std::int64_t first_row);
  /// Embedding and layers, whose keys and values join the cache. Returns the residual stream [rows, C] after them.
  const float* pass(const weights::Weights& weights, const Rows& rows);
  /// stream [rows, C] after the layers -> logits rows first_row onwards.
  void head(const weights::Weights& weights, const float* stream, std::int64_t rows, std::int64_t first_row);
  float* residual(std::int64_t layer) { return residuals.data() + layer % 2 * maximum_rows * network.config.width; }
  float* cache_of(std::int64_t layer) { return cache.data() + layer * options.slots * cache_shape.slot_elements(); }

  Network network;
  DecodeOptions options;
  std::int64_t maximum_rows;
  ops::CacheShape cache_shape;
  std::vector<std::int64_t> lengths;  // of each slot
  std::int64_t rows_with_logits = 0;

  Arena cache;      // [layers, slots, 2, heads, capacity, head_width]
  Arena residuals;  // [2, maximum_rows, C]
  Arena saved_memory, buffer_memory, ending_memory;
  Buffers buffers;
  BlockMemory memory;                          // behind it saved_memory: all layers share it
  BlockMemory ending;                          // of slots rows, behind it ending_memory
  Arena last;                                  // [slots, C], the last row of each prompt
  Arena logits;                                // [slots, logits_stride]
  std::vector<std::uint32_t> inputs, targets;  // of a prefill
  std::vector<ops::Sequence> sequences;
  std::vector<ops::StepRow> step_rows;
};

DecodeState::State::State(const shape::Config& with_config, const DecodeOptions& with_options, ops::Ops& with_ops)
    : network(with_config, with_ops),
      options(checked(with_options, with_config)),
      maximum_rows(round_up(std::max({options.capacity, options.slots, kPrefillRows}), kRowMultiple)),
      cache_shape{shape::attention_shape(network.config), options.capacity},
      lengths(static_cast<std::size_t>(options.slots), 0),
      cache(network.config.layers * options.slots * cache_shape.slot_elements()),
      residuals(2 * maximum_rows * network.config.width),
      saved_memory(network.description().layer.saved_elements(maximum_rows)),
      buffer_memory(network.description().layer.buffer_elements(maximum_rows, false)),
      ending_memory(network.description().ending.saved_elements(options.slots)),
      buffers(network.description().layer, maximum_rows, false, buffer_memory.data()),
      memory(network.description().layer, maximum_rows, {.own = saved_memory.data()}, buffers),
      ending(network.description().ending, options.slots, {.own = ending_memory.data()}, buffers),
      last(options.slots * network.config.width),
      logits(options.slots * network.logits_stride) {}

void DecodeState::State::check(const weights::Weights& weights, std::int64_t slot, std::uint32_t token) const {
  network.check(weights);
  if (slot < 0 || slot >= options.slots) throw Error(fmt::format("slot {} of {}", slot, options.slots));
  if (token >= network.config.vocabulary_size) {
    throw Error(fmt::format("token {} is outside the vocabulary of {}", token, network.config.vocabulary_size));
  }
}

const float* DecodeState::State::pass(const weights::Weights& weights, const Rows& rows) {
  network.embed(weights, rows, residual(0));
  for (std::int64_t layer = 0; layer < network.config.layers; ++layer) {
    forward(network.layer(layer, weights, rows, residual(layer), residual(layer + 1), memory, cache_of(layer)));
  }
  return residual(network.config.layers);
}

void DecodeState::State::head(const weights::Weights& weights, const float* stream, std::int64_t rows,
                              std::int64_t first_row) {
  const Rows of_ending{.count = rows};
  forward(network.ending(weights, of_ending, stream, ending));
  network.head(weights, network.hidden(ending), rows, logits.data() + first_row * network.logits_stride);
}

void DecodeState::State::prefill_group(const weights::Weights& weights, std::span<const SlotPrompt> prompts,
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

  const float* stream =
      pass(weights, network.turned({.count = rows, .batch = &batch, .steps = step_rows, .cache_shape = cache_shape}));
  const std::int64_t width = network.config.width;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const float* from = stream + (sequences[i].first_row + sequences[i].rows - 1) * width;
    std::copy_n(from, width, last.data() + static_cast<std::int64_t>(i) * width);
    lengths[static_cast<std::size_t>(prompts[i].slot)] = sequences[i].rows;
  }
  head(weights, last.data(), static_cast<std::int64_t>(prompts.size()), first_row);
}

DecodeState::DecodeState(const shape::Config& config, const DecodeOptions& options, ops::Ops& ops)
    : state_(std::make_unique<State>(config, options, ops)) {}
DecodeState::~DecodeState() = default;

void DecodeState::prefill(const weights::Weights& weights, std::span<const SlotPrompt> prompts) {
  State& s = *state_;
  if (static_cast<std::int64_t>(prompts.size()) > s.options.slots) throw Error("prefill: more prompts than slots");
  for (const SlotPrompt& prompt : prompts) {
    if (prompt.tokens.empty()) throw Error("prefill: an empty prompt");
    if (static_cast<std::int64_t>(prompt.tokens.size()) > s.options.capacity) {
      throw Error(fmt::format("prefill: a prompt of {} tokens, there is room for {}", prompt.tokens.size(),
                              s.options.capacity));
    }
    for (const std::uint32_t token : prompt.tokens) s.check(weights, prompt.slot, token);
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
    s.prefill_group(weights, prompts.subspan(first, end - first), static_cast<std::int64_t>(first));
    first = end;
  }
  s.rows_with_logits = static_cast<std::int64_t>(prompts.size());
}

void DecodeState::step(const weights::Weights& weights, std::span<const SlotToken> tokens) {
  State& s = *state_;
  if (tokens.empty()) throw Error("step: no tokens");
  s.step_rows.clear();
  for (const SlotToken& each : tokens) {
    s.check(weights, each.slot, each.token);
    const std::int64_t position = s.lengths[static_cast<std::size_t>(each.slot)];
    if (position >= s.options.capacity) {
      throw Error(fmt::format("step: slot {} is full with {} tokens", each.slot, position));
    }
    s.step_rows.push_back({each.token, each.slot, position});
  }
  const Rows rows = s.network.turned(
      {.count = static_cast<std::int64_t>(tokens.size()), .steps = s.step_rows, .cache_shape = s.cache_shape});
  const float* stream = s.pass(weights, rows);
  for (const SlotToken& each : tokens) ++s.lengths[static_cast<std::size_t>(each.slot)];
  s.rows_with_logits = rows.count;
  s.head(weights, stream, rows.count, 0);
}

void DecodeState::copy(std::int64_t from, std::int64_t to) {
  State& s = *state_;
  if (from < 0 || from >= s.options.slots || to < 0 || to >= s.options.slots) throw Error("copy: no such slot");
  if (from == to) return;
  const std::int64_t slot = s.cache_shape.slot_elements();
  for (std::int64_t layer = 0; layer < s.network.config.layers; ++layer) {
    float* cache = s.cache_of(layer);
    std::copy_n(cache + from * slot, slot, cache + to * slot);
  }
  s.lengths[static_cast<std::size_t>(to)] = s.lengths[static_cast<std::size_t>(from)];
}

std::span<const float> DecodeState::logits(std::int64_t i) const {
  if (i < 0 || i >= state_->rows_with_logits) throw Error(fmt::format("logits: no row {}", i));
  return {state_->logits.data() + i * state_->network.logits_stride,
          static_cast<std::size_t>(state_->network.config.vocabulary_size)};
}

std::int64_t DecodeState::length(std::int64_t slot) const { return state_->lengths.at(static_cast<std::size_t>(slot)); }
std::int64_t DecodeState::capacity() const { return state_->options.capacity; }
std::int64_t DecodeState::slots() const { return state_->options.slots; }

std::int64_t decode_weight_bytes(const shape::Config& config) {
  const shape::ParameterTable table(config);
  std::int64_t elements = 0;
  for (const shape::Parameter& each : table.parameters()) {
    if (!each.is_matrix() || each.in_products) elements += each.size();
  }
  return static_cast<std::int64_t>(sizeof(float)) * elements;
}

}  // namespace chainrule::model::decoder
