#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/shape/config.h"

namespace chainrule::model::shape {

/// Elements [begin, end) of an arena.
struct ParameterRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const ParameterRange&) const = default;
};

/// A named, shaped view into a parameter arena. Matrices are [out, in] row-major.
struct Parameter {
  std::string name;                 ///< e.g. "layers.3.attention.query_key_value.weight"
  std::vector<std::int64_t> shape;  ///< [out, in] or [n]
  std::int64_t offset = 0;          ///< first element in the arena, a multiple of 16
  bool decay = false;               ///< weight decay applies (matrices only)

  std::int64_t size() const;
  ParameterRange range() const { return {offset, offset + size()}; }
};

/// Where each parameter lies in an arena, in the order in which backward finishes their gradients: final norm, then
/// the layers from the last to the first, then the embeddings (the tied head's gradient is complete only there).
class ParameterTable {
 public:
  explicit ParameterTable(const Config& config);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Elements of an arena; the few between parameters are padding, always zero.
  std::int64_t arena_size() const { return arena_size_; }
  /// Throws Error for a name that is not in the table.
  const Parameter& find(std::string_view name) const;
  /// Ranges to which weight decay applies, in arena order.
  std::vector<ParameterRange> decay_ranges() const;

 private:
  std::vector<Parameter> parameters_;
  std::int64_t arena_size_ = 0;
};

/// GPT-2's initialisation: normal 0.02, projections into the residual stream 0.02 / sqrt(2 L), gains one, biases
/// zero. Each element depends on (seed, its parameter's name, its index) alone. arena [table.arena_size()].
void initialise(const Config& config, const ParameterTable& table, std::uint64_t seed, std::span<float> arena);

}  // namespace chainrule::model::shape
