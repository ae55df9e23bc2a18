#pragma once
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "model/decoder/rows.h"
#include "model/ops/rotary.h"
#include "model/shape/config.h"

namespace chainrule::model::decoder {

/// The angles by which rotary positions turn rows. Their cosines and sines are made as far as sequences reach.
class RotaryAngles {
 public:
  explicit RotaryAngles(const shape::Config& config);

  /// Of whole sequences or of single steps; holds until the next call. Empty for a model without rotary positions.
  std::span<const ops::RotaryRun> of(const Rows& rows);

 private:
  /// Of positions [first, first + count) of a sequence of some length.
  struct Table {
    std::vector<float> cosines;  // [count, head_width / 2]
    std::vector<float> sines;
  };
  Table make(std::int64_t first, std::int64_t count, std::int64_t length) const;
  /// Rows of a sequence of that length, from a position on.
  ops::RotaryRun run(std::int64_t first_row, std::int64_t rows, std::int64_t position, std::int64_t length);

  bool used_;
  shape::Rotary rotary_;
  std::int64_t head_width_;
  std::int64_t sequence_length_;
  Table shared_;                 // of every sequence whose length does not matter, from position 0 on
  std::int64_t positions_ = 0;   // of it
  std::deque<Table> by_length_;  // of the others of this call
  std::vector<ops::RotaryRun> runs_;
};

}  // namespace chainrule::model::decoder
