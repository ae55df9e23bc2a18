#include "model/decoder/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/arena.h"
#include "model/decoder/layer.h"
#include "model/decoder/loss_blocks.h"
#include "model/error.h"
#include "model/ops/cross_entropy.h"
#include "model/ops/embedding.h"
#include "model/ops/layer_norm.h"
#include "model/ops/linear.h"
#include "model/round_up.h"

namespace chainrule::model::decoder {
struct Decoder::State {
  State(const shape::Config& with_config, const DecoderOptions& with_options, ops::Ops& with_ops);

  void check(std::span<const float> parameters, const ops::Batch& batch) const;
  /// Embedding and layers; leaves the final normalised hidden states in `hidden`.
  void forward(const float* parameters, const ops::Batch& batch, ParameterGate* gate);
  void for_each_logits_block(const float* parameters, std::int64_t rows, LogitsVisitor& visitor);
  /// Moves the hidden states of scored rows to the front and their targets to `scored_targets`. Returns how many rows
  /// are then worth their logits: those and the few that round the shape of the products up.
  std::int64_t gather_scored(const ops::Batch& batch);
  /// The layer's part of the arena, padding included.
  shape::ParameterRange range_of(std::int64_t layer) const {
    return {layers[static_cast<std::size_t>(layer)].first,
            layer > 0 ? layers[static_cast<std::size_t>(layer - 1)].first : position_embedding};
  }
  const LayerActivations& activations_of(std::int64_t layer) const {
    return saved[options.purpose == Purpose::train && !options.recompute ? static_cast<std::size_t>(layer) : 0];
  }
  /// The residual stream that enters layer (config.layers: that leaves the last one).
  float* residual(std::int64_t layer) {
    const std::int64_t kept = options.purpose == Purpose::train ? layer : layer % 2;
    return residuals.data() + kept * options.maximum_rows * config.width;
  }
  void backward_layers(const float* parameters, const ops::Batch& batch, float* gradients, Accumulate accumulate,
                       GradientSink* sink, std::int64_t announced);

  shape::Config config;
  DecoderOptions options;
  ops::Ops& ops;
  shape::ParameterTable table;
  std::vector<LayerParameters> layers;
  /// The token embedding, which is the output layer too.
  shape::ParameterRange embedding_range() const { return table.find("token_embedding.weight").range(); }

  std::int64_t final_norm_weight, final_norm_bias, position_embedding, token_embedding;
  std::int64_t logits_stride;
  std::vector<shape::ParameterRange> added_to;  // where every op adds to gradients: all but the matrices of products

  Arena residuals;                      // [layers + 1 (2 in evaluation), rows, C]
  Arena saved_memory;                   // behind `saved`
  std::vector<LayerActivations> saved;  // one a layer in training, else one that all share
  Arena final_memory;                   // behind hidden, mean, inverse_deviation
  float* hidden;                        // [rows, C] after the final norm
  float* mean;
  float* inverse_deviation;
  Arena logits;          // [min(rows, kLossRows), logits_stride]
  Arena scratch_memory;  // behind `scratch`
  LayerScratch scratch;

  std::vector<std::int64_t> scored_rows;      // of the batch
  std::vector<std::uint32_t> scored_targets;  // of the rows that gather_scored() chose
  std::vector<double> scored_nll;
};

Decoder::State::State(const shape::Config& with_config, const DecoderOptions& with_options, ops::Ops& with_ops)
    : config(with_config), options(with_options), ops(with_ops), table(config) {
  if (options.maximum_rows < 1) throw Error("a decoder needs room for at least one row");
  for (std::int64_t layer = 0; layer < config.layers; ++layer) layers.emplace_back(table, layer);
  final_norm_weight = table.find("final_norm.weight").offset;
  final_norm_bias = table.find("final_norm.bias").offset;
  position_embedding = table.find("position_embedding.weight").offset;
  token_embedding = table.find("token_embedding.weight").offset;
  logits_stride = round_up(config.vocabulary_size, 16);
  for (const shape::Parameter& each : table.parameters()) {
    if (each.shape.size() == 1 || each.offset == position_embedding) added_to.push_back(each.range());
  }

  const bool train = options.purpose == Purpose::train;
  const std::int64_t rows = options.maximum_rows;
  residuals = Arena((train ? config.layers + 1 : 2) * rows * config.width);
  const std::int64_t sets = train && !options.recompute ? config.layers : 1;
  const std::int64_t set_size = LayerActivations::elements(config, rows);
  saved_memory = Arena(sets * set_size);
  for (std::int64_t set = 0; set < sets; ++set) saved.emplace_back(config, rows, saved_memory.data() + set * set_size);
  final_memory = Arena(rows * config.width + 2 * round_up(rows, 16));
  hidden = final_memory.data();
  mean = hidden + rows * config.width;
  inverse_deviation = mean + round_up(rows, 16);
  // Not loss_block_rows(rows): a smaller batch may be cut into fewer and larger blocks.
  logits = Arena(std::min(kLossRows, rows) * logits_stride);
  scratch_memory = Arena(LayerScratch::elements(config, rows, train));
  scratch = LayerScratch(config, rows, train, scratch_memory.data());
  scored_rows.reserve(static_cast<std::size_t>(rows));
  scored_targets.reserve(static_cast<std::size_t>(rows));
  scored_nll.resize(static_cast<std::size_t>(rows));
}

void Decoder::State::check(std::span<const float> parameters, const ops::Batch& batch) const {
  if (static_cast<std::int64_t>(parameters.size()) != table.arena_size()) {
    throw Error(
        fmt::format("a parameter arena of {} elements, the model has {}", parameters.size(), table.arena_size()));
  }
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
    if (sequence.rows > config.sequence_length) {
      throw Error(fmt::format("a sequence of {} tokens, longer than the model's context of {}", sequence.rows,
                              config.sequence_length));
    }
    if (sequence.first_row < covered || sequence.rows < 1 || sequence.first_row + sequence.rows > batch.rows()) {
      throw Error("a batch's sequences overlap, are empty, or lie outside its rows");
    }
    covered = sequence.first_row + sequence.rows;
  }
}

void Decoder::State::forward(const float* parameters, const ops::Batch& batch, ParameterGate* gate) {
  const std::int64_t rows = batch.rows();
  const auto need = [&](shape::ParameterRange range) {
    if (gate != nullptr) gate->need(range);
  };
  need({position_embedding, token_embedding});
  if (gate != nullptr) gate->need_rows(embedding_range(), batch.inputs);
  ops.run(ops::EmbeddingForward{.batch = batch,
                                .width = config.width,
                                .token_embedding = parameters + token_embedding,
                                .position_embedding = parameters + position_embedding,
                                .output = residual(0)});
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    need(range_of(layer));
    layer_forward(config, layers[static_cast<std::size_t>(layer)], parameters, batch, ops, residual(layer),
                  activations_of(layer), scratch, residual(layer + 1));
  }
  need({0, layers.back().first});
  ops.run(ops::LayerNormForward{.rows = rows,
                                .width = config.width,
                                .epsilon = config.normalization_epsilon,
                                .x = residual(config.layers),
                                .gain = parameters + final_norm_weight,
                                .bias = parameters + final_norm_bias,
                                .output = hidden,
                                .mean = mean,
                                .inverse_deviation = inverse_deviation});
  need({token_embedding, table.arena_size()});
}

void Decoder::State::for_each_logits_block(const float* parameters, std::int64_t rows, LogitsVisitor& visitor) {
  const std::int64_t block = loss_block_rows(rows);
  for (std::int64_t first = 0; first < rows; first += block) {
    const std::int64_t count = std::min(block, rows - first);
    ops.run(ops::LinearForward{.rows = count,
                               .in = config.width,
                               .out = config.vocabulary_size,
                               .x = hidden + first * config.width,
                               .weight = parameters + token_embedding,
                               .output = logits.data(),
                               .output_stride = logits_stride});
    visitor.visit(first, count, logits.data(), logits_stride);
  }
}

std::int64_t Decoder::State::gather_scored(const ops::Batch& batch) {
  constexpr std::int64_t kMultiple = 64;  // so that few shapes of products exist
  scored_rows.clear();
  scored_targets.clear();
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const std::uint32_t target = batch.targets[static_cast<std::size_t>(row)];
    if (target == ops::kNotScored) continue;
    const auto to = static_cast<std::int64_t>(scored_rows.size());
    if (to != row) std::copy_n(hidden + row * config.width, config.width, hidden + to * config.width);
    scored_rows.push_back(row);
    scored_targets.push_back(target);
  }
  const std::int64_t rows = std::min(batch.rows(), round_up(static_cast<std::int64_t>(scored_rows.size()), kMultiple));
  scored_targets.resize(static_cast<std::size_t>(rows), ops::kNotScored);
  return rows;
}

void Decoder::State::backward_layers(const float* parameters, const ops::Batch& batch, float* gradients,
                                     Accumulate accumulate, GradientSink* sink, std::int64_t announced) {
  const auto announce = [&](std::int64_t end) {
    if (sink != nullptr && end > announced) sink->ready({announced, end});
    announced = end;
  };
  for (std::int64_t layer = config.layers - 1; layer >= 0; --layer) {
    const LayerParameters& at = layers[static_cast<std::size_t>(layer)];
    const LayerActivations& activations = activations_of(layer);
    if (options.recompute) {
      layer_forward(config, at, parameters, batch, ops, residual(layer), activations, scratch, nullptr);
    }
    layer_backward(config, at, parameters, batch, ops, residual(layer), activations, scratch, gradients,
                   accumulate == Accumulate::yes);
    announce(range_of(layer).end);
  }
  if (sink != nullptr) sink->await_late_rows(embedding_range());
  ops.run(ops::EmbeddingBackward{.batch = batch,
                                 .width = config.width,
                                 .gradient = scratch.residual_gradient,
                                 .token_gradient = gradients + token_embedding,
                                 .position_gradient = gradients + position_embedding});
  announce(table.arena_size());
}

Decoder::Decoder(const shape::Config& config, const DecoderOptions& options, ops::Ops& ops)
    : state_(std::make_unique<State>(config, options, ops)) {}
Decoder::~Decoder() = default;

const shape::Config& Decoder::config() const { return state_->config; }
const shape::ParameterTable& Decoder::table() const { return state_->table; }

std::int64_t Decoder::workspace_bytes() const {
  const State& s = *state_;
  return static_cast<std::int64_t>(sizeof(float)) * (s.residuals.size() + s.saved_memory.size() +
                                                     s.final_memory.size() + s.logits.size() + s.scratch_memory.size());
}

void Decoder::visit_logits(std::span<const float> parameters, const ops::Batch& batch, LogitsVisitor& visitor) {
  state_->check(parameters, batch);
  state_->forward(parameters.data(), batch, nullptr);
  state_->for_each_logits_block(parameters.data(), batch.rows(), visitor);
}

void Decoder::score(std::span<const float> parameters, const ops::Batch& batch, std::span<double> nll) {
  class Loss final : public LogitsVisitor {
   public:
    explicit Loss(State& state) : state_(state) {}
    void visit(std::int64_t first, std::int64_t rows, float* logits, std::int64_t stride) override {
      state_.ops.run(ops::CrossEntropyForward{.rows = rows,
                                              .vocabulary = state_.config.vocabulary_size,
                                              .logits = logits,
                                              .stride = stride,
                                              .targets = state_.scored_targets.data() + first,
                                              .nll = state_.scored_nll.data() + first});
    }

   private:
    State& state_;
  };
  State& s = *state_;
  if (nll.size() != batch.inputs.size()) throw Error("score: one nll a row is needed");
  s.check(parameters, batch);
  s.forward(parameters.data(), batch, nullptr);
  Loss loss(s);
  s.for_each_logits_block(parameters.data(), s.gather_scored(batch), loss);
  std::fill(nll.begin(), nll.end(), 0.0);
  for (std::size_t i = 0; i < s.scored_rows.size(); ++i)
    nll[static_cast<std::size_t>(s.scored_rows[i])] = s.scored_nll[i];
}

void Decoder::train(std::span<const float> parameters, const ops::Batch& batch, std::span<float> gradients,
                    Accumulate accumulate, std::span<double> nll, ParameterGate* gate, GradientSink* sink) {
  /// Turns logits into their gradients and sends these on to the hidden states and the tied head.
  class LossBackward final : public LogitsVisitor {
   public:
    LossBackward(State& state, const float* parameters, const ops::Batch& of, float* gradients, Accumulate accumulate,
                 std::span<double> to)
        : state_(state),
          parameters_(parameters),
          batch_(of),
          gradients_(gradients),
          accumulate_(accumulate == Accumulate::yes),
          nll_(to) {}
    void visit(std::int64_t first, std::int64_t rows, float* logits, std::int64_t stride) override {
      State& s = state_;
      const std::int64_t width = s.config.width;
      s.ops.run(ops::CrossEntropyBackward{.rows = rows,
                                          .vocabulary = s.config.vocabulary_size,
                                          .logits = logits,
                                          .stride = stride,
                                          .targets = batch_.targets.data() + first,
                                          .nll = nll_.data() + first});
      s.ops.run(ops::LinearBackwardWeight{.rows = rows,
                                          .in = width,
                                          .out = s.config.vocabulary_size,
                                          .output_gradient = logits,
                                          .output_gradient_stride = stride,
                                          .x = s.hidden + first * width,
                                          .weight_gradient = gradients_ + s.token_embedding,
                                          .accumulate = accumulate_ || first > 0});
      s.ops.run(ops::LinearBackwardInput{.rows = rows,
                                         .in = width,
                                         .out = s.config.vocabulary_size,
                                         .output_gradient = logits,
                                         .output_gradient_stride = stride,
                                         .weight = parameters_ + s.token_embedding,
                                         .x_gradient = s.scratch.branch_gradient + first * width});
    }

   private:
    State& state_;
    const float* parameters_;
    const ops::Batch& batch_;
    float* gradients_;
    bool accumulate_;
    std::span<double> nll_;
  };
  State& s = *state_;
  if (s.options.purpose != Purpose::train) throw Error("train: this decoder was made for evaluation");
  if (nll.size() != batch.inputs.size()) throw Error("train: one nll a row is needed");
  if (static_cast<std::int64_t>(gradients.size()) != s.table.arena_size())
    throw Error("train: gradients of wrong size");
  s.check(parameters, batch);
  if (accumulate == Accumulate::no) {
    for (const shape::ParameterRange& range : s.added_to) {
      std::fill(gradients.data() + range.begin, gradients.data() + range.end, 0.0F);
    }
  }
  s.forward(parameters.data(), batch, gate);
  LossBackward loss(s, parameters.data(), batch, gradients.data(), accumulate, nll);
  s.for_each_logits_block(parameters.data(), batch.rows(), loss);
  if (sink != nullptr) sink->ready_but_late_rows(s.embedding_range());

  const std::int64_t rows = batch.rows();
  const std::int64_t width = s.config.width;
  std::memset(s.scratch.residual_gradient, 0, static_cast<std::size_t>(rows * width) * sizeof(float));
  s.ops.run(ops::LayerNormBackward{.rows = rows,
                                   .width = width,
                                   .output_gradient = s.scratch.branch_gradient,
                                   .x = s.residual(s.config.layers),
                                   .gain = parameters.data() + s.final_norm_weight,
                                   .mean = s.mean,
                                   .inverse_deviation = s.inverse_deviation,
                                   .x_gradient = s.scratch.residual_gradient,
                                   .gain_gradient = gradients.data() + s.final_norm_weight,
                                   .bias_gradient = gradients.data() + s.final_norm_bias});
  const std::int64_t first_layer = s.layers.back().first;
  if (sink != nullptr) sink->ready({0, first_layer});
  s.backward_layers(parameters.data(), batch, gradients.data(), accumulate, sink, first_layer);
}

}  // namespace chainrule::model::decoder
