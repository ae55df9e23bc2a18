#pragma once
#include <algorithm>
#include <cstdint>

namespace chainrule::model::decoder {

inline constexpr std::int64_t kLossRows = 512;  ///< most rows whose logits are held at once

/// Rows per block of logits for a batch: blocks of about equal size, since small products are slow ones.
constexpr std::int64_t loss_block_rows(std::int64_t rows) {
  const std::int64_t blocks = std::max<std::int64_t>(1, (rows + kLossRows - 1) / kLossRows);
  const std::int64_t even = (rows + blocks - 1) / blocks;
  return std::min(kLossRows, (even + 15) / 16 * 16);
}

}  // namespace chainrule::model::decoder
