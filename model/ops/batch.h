#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace chainrule::model::ops {

/// A target that is not scored: it adds nothing to the loss or the gradient.
inline constexpr std::uint32_t kNotScored = std::numeric_limits<std::uint32_t>::max();

inline constexpr std::int64_t kNoParent = -1;

/// Consecutive rows of a batch that attend to each other causally. Those that begin like an earlier sequence need not
/// compute that beginning again: they continue it, and attend to its rows before their own position too. A parent may
/// itself continue another. Only in evaluation: nothing sends gradients to a parent's rows.
struct Sequence {
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
  std::int64_t position = 0;        ///< of the first row; at most the parent's length()
  std::int64_t parent = kNoParent;  ///< index of the sequence that has the positions before; none: position is 0

  /// Positions that the last row attends to.
  std::int64_t length() const { return position + rows; }
};

/// Rows of tokens. Sequences lie in row order without overlap; rows outside all of them are padding (never scored).
/// In training: micro-batch sequences of T rows each. In evaluation: documents of any lengths side by side.
struct Batch {
  std::span<const std::uint32_t> inputs;   ///< [rows] token ids
  std::span<const std::uint32_t> targets;  ///< [rows] token ids, or kNotScored
  std::span<const Sequence> sequences;

  std::int64_t rows() const { return static_cast<std::int64_t>(inputs.size()); }
};

/// [rows] the position of each row in its sequence; 0 for padding.
std::vector<std::int64_t> positions_of(const Batch& batch);

/// Calls visit(first_row, begin, end) for stretches of rows that hold positions [begin, end) of a sequence and of what
/// it continues, from its end to position 0.
template <typename Visit>
void for_each_stretch(std::span<const Sequence> sequences, std::size_t index, Visit&& visit) {
  for (std::int64_t end = sequences[index].length(); end > 0;) {
    const Sequence& sequence = sequences[index];
    if (sequence.position < end) visit(sequence.first_row, sequence.position, end);
    end = std::min(end, sequence.position);
    index = static_cast<std::size_t>(sequence.parent);
  }
}

/// One row of a decode step: the newest token of a sequence whose keys and values lie in a slot of a cache.
struct StepRow {
  std::uint32_t token = 0;
  std::int64_t slot = 0;
  std::int64_t position = 0;  ///< of the token in its sequence
};

}  // namespace chainrule::model::ops
