#pragma once
#include <algorithm>
#include <cstdint>

#include "model/round_up.h"

namespace chainrule::model::decoder {

inline constexpr std::int64_t kLossRows = 512;  ///< most rows whose logits are held at once

/// Rows per block of logits for a batch: blocks of about equal size, since small products are slow ones.
constexpr std::int64_t loss_block_rows(std::int64_t rows) {
  const std::int64_t blocks = std::max<std::int64_t>(1, divide_up(rows, kLossRows));
  const std::int64_t even = divide_up(rows, blocks);
  return std::min(kLossRows, round_up(even, 16));
}

}  // namespace chainrule::model::decoder
