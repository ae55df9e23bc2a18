#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "model/shape/block.h"

namespace chainrule::model::decoder {

/// The buffers that blocks use in turn.
struct Buffers {
  /// memory: block.buffer_elements(rows, backward) elements, which outlive it.
  Buffers(const shape::Block& block, std::int64_t rows, bool backward, float* memory);
  float* operator[](shape::Buffer buffer) const { return at[static_cast<std::size_t>(buffer)]; }

  std::array<float*, shape::kBuffers> at{};  // null for those of training where there is none
};

/// Where each value of a block lies, and its gradient; null for the residual stream where it enters or leaves.
struct BlockMemory {
  /// saved: block.saved_elements(rows) elements, which outlive it, as do the buffers'.
  BlockMemory(const shape::Block& block, std::int64_t rows, float* saved, const Buffers& buffers);

  std::vector<float*> values;     // [rows, width] each
  std::vector<float*> gradients;  // [rows, width] each; null outside training
};

}  // namespace chainrule::model::decoder
