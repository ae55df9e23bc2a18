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

/// Memory of a block's saved values, which outlives it.
struct SavedMemory {
  float* own = nullptr;           ///< the block's own: saved_elements(rows) but for those of the shared values
  float* shared = nullptr;        ///< of blocks that use it in turn: saved_elements(rows, shared_values)
  std::size_t shared_values = 0;  ///< so many of the block's first values, where they are saved, lie in `shared`
};

/// Where each value of a block lies, and its gradient; null for the residual stream where it enters or leaves.
struct BlockMemory {
  /// The memory of buffers outlives it.
  BlockMemory(const shape::Block& block, std::int64_t rows, const SavedMemory& saved, const Buffers& buffers);

  std::vector<float*> values;     // [rows, width] each
  std::vector<float*> gradients;  // [rows, width] each; null outside training
};

}  // namespace chainrule::model::decoder
