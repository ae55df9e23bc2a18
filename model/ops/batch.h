#pragma once
#include <cstdint>
#include <limits>
#include <span>

namespace chainrule::model::ops {

/// A target that is not scored: it adds nothing to the loss or the gradient.
inline constexpr std::uint32_t kNotScored = std::numeric_limits<std::uint32_t>::max();

/// Consecutive rows of a batch that attend to each other causally; the first row has position 0.
struct Sequence {
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
};

/// Rows of tokens. Sequences lie in row order without overlap; rows outside all of them are padding (never scored).
/// In training: micro-batch sequences of T rows each. In evaluation: documents of any lengths side by side.
struct Batch {
  std::span<const std::uint32_t> inputs;   ///< [rows] token ids
  std::span<const std::uint32_t> targets;  ///< [rows] token ids, or kNotScored
  std::span<const Sequence> sequences;

  std::int64_t rows() const { return static_cast<std::int64_t>(inputs.size()); }
};

/// One row of a decode step: the newest token of a sequence whose keys and values lie in a slot of a cache.
struct StepRow {
  std::uint32_t token = 0;
  std::int64_t slot = 0;
  std::int64_t position = 0;  ///< of the token in its sequence
};

}  // namespace chainrule::model::ops
