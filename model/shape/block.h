#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/shape/attention_shape.h"
#include "model/shape/config.h"
#include "model/shape/parameter.h"

namespace chainrule::model::shape {

/// What a part computes.
enum class PartKind {
  layer_norm,
  rms_norm,
  linear,
  query_key_norm,  ///< RMSNorm of each head of queries and keys; values pass
  rotary,          ///< turns each head of queries and keys by its position; values pass
  attention,
  gelu,
  relu_squared,
  swiglu,  ///< of twice the width that it writes: silu(first half) * second half
};

/// Memory that all blocks use in turn, [rows, width] each.
enum class Buffer {
  normalised,
  projected,  ///< queries, keys and values that are not yet what attention reads
  activated,
  // In training only:
  stream_gradient,  ///< of the residual stream, carried from block to block
  branch_gradient,  ///< of what a norm gave or attention put out
  feed_forward_gradient,
  activated_gradient,  ///< where it has another width than what was activated
  query_key_value_gradient,
};
inline constexpr std::size_t kBuffers = 8;
inline constexpr std::size_t kForwardBuffers = 3;  ///< the first ones

/// What passes from part to part, rows x width elements.
struct Value {
  /// stream: the residual stream where it enters or leaves the block, not the block's own memory. saved: kept from
  /// forward to backward. buffer: made again in backward.
  enum class Place { stream, saved, buffer };

  std::string name;
  std::int64_t width = 0;
  Place place = Place::saved;
  Buffer buffer = Buffer::normalised;             ///< where place is buffer
  std::optional<Buffer> gradient = std::nullopt;  ///< where its gradient lies; without one it has none
};

/// One step of a block: reads a value, and writes one that no other part writes. Each value is read by one part, but
/// for those of the residual stream. Indices are of Block::values, offsets from the block's first parameter.
struct Part {
  PartKind kind = PartKind::linear;
  std::string name;  ///< of its parameters, e.g. "attention.output"
  std::size_t input = 0;
  std::size_t output = 0;
  std::optional<std::size_t> added_to;  ///< a linear part's product is added to this value of the residual stream
  std::size_t statistics = 0;           ///< the first of those that backward needs: mean and inverse deviation of a
                                        ///< norm, log-sum-exp of attention
  std::optional<Parameter> weight;      ///< [out, in] of a linear part, [width] of a norm; of query_key_norm [2
                                        ///< head_width], first what queries are multiplied with
  std::optional<Parameter> bias;        ///< [out] or [width]
  AttentionShape attention;             ///< of attention, and of what prepares its rows
  float epsilon = 0;                    ///< of a norm

  /// A product with a weight: rows x in -> rows x out.
  bool is_product() const { return kind == PartKind::linear; }
  std::int64_t in() const { return weight->shape[1]; }
  std::int64_t out() const { return weight->shape[0]; }
};

/// Parts in the order in which forward takes them; backward takes them in reverse.
struct Block {
  std::vector<Value> values;
  std::vector<Part> parts;
  std::size_t saving_parts = 0;     ///< so many of the first parts leave all that backward needs
  std::size_t attention_parts = 0;  ///< so many of the first end with attention
  std::array<std::int64_t, kBuffers> buffer_widths{};
  std::int64_t parameter_elements = 0;  ///< of an arena, each parameter's padding included

  const Value& input() const { return values.front(); }
  /// Parameters in the order in which backward finishes them.
  std::vector<Parameter> parameters() const;
  /// So many of the first values there are when that many of the first parts have run; the input is one.
  std::size_t values_after(std::size_t first_parts) const;
  /// Elements of the saved values of that many rows; of those among the first so many values.
  std::int64_t saved_elements(std::int64_t rows) const { return saved_elements(rows, values.size()); }
  std::int64_t saved_elements(std::int64_t rows, std::size_t first_values) const;
  /// Elements of the buffers of that many rows; backward: with those of training.
  std::int64_t buffer_elements(std::int64_t rows, bool backward) const;
};

/// Puts a block together, part after part: each reads what the one before it wrote.
class BlockBuilder {
 public:
  /// Of a model's layers or of its ending. The residual stream is the first part's input.
  explicit BlockBuilder(const Config& config);

  /// Reads the residual stream. saved: its output is kept for backward, else made again there.
  BlockBuilder& norm(const std::string& name, bool saved = false);
  /// Queries, keys and values side by side, normalised and turned where the model does.
  BlockBuilder& query_key_value(const std::string& name);
  BlockBuilder& attention();
  /// Twice as wide where the activation takes two products.
  BlockBuilder& up(const std::string& name);
  BlockBuilder& activation();
  /// Adds to the residual stream, in a value of the block's own, or (last) in what leaves the block.
  BlockBuilder& linear_into_stream(const std::string& name, bool last);
  Block build();

 private:
  void linear(const std::string& name, Value output, bool biased);
  std::size_t add_value(Value value);
  std::size_t add_saved(const std::string& name, std::int64_t width);
  Part& add_part(PartKind kind, const std::string& name, std::size_t output);
  Parameter matrix(const std::string& name, std::int64_t out) const;

  const Config& config_;
  AttentionShape attention_;
  Block block_;
  std::size_t stream_ = 0;   // the newest value of the residual stream
  std::size_t current_ = 0;  // what the next part reads
};

}  // namespace chainrule::model::shape
