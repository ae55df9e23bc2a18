#pragma once
#include "model/decoder/block_memory.h"
#include "model/decoder/rows.h"
#include "model/ops/ops.h"
#include "model/shape/block.h"
#include "model/weights/weights.h"

namespace chainrule::model::decoder {

/// One pass over the parts of a block.
struct BlockPass {
  const shape::Block& block;
  ops::Ops& ops;
  const Rows& rows;
  weights::Weights weights;
  std::int64_t first;  ///< offset of the block's parameters in an arena
  const float* input;  ///< [rows, C], the residual stream before the block
  float* output;       ///< [rows, C], the residual stream after it; null for a block that does not write it
  const BlockMemory& memory;
  float* cache = nullptr;  ///< the layer's keys and values, of all slots; may be null beside a batch
};

/// The parts in order. One row of each of several sequences goes the same way as whole sequences, but for attention.
void forward(const BlockPass& pass);
/// That many of the first.
void forward_first(const BlockPass& pass, std::size_t parts);

/// The parts in reverse. The buffer stream_gradient holds the gradient of the block's output before (a block that does
/// not write to the stream: what is to be added to), of its input after; the last part's gradient is there. Adds to
/// the gradients of the block's parameters, which begin at `gradients`; unless accumulate, those of matrices are
/// replaced.
void backward(const BlockPass& pass, float* gradients, bool accumulate);

}  // namespace chainrule::model::decoder
