#pragma once
#include <cstdint>
#include <vector>

#include "model/optimizer/adamw.h"
#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/lanes.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Who owns which elements of an arena: optimizer state and the sums of gradients are divided so (ZeRO-1; Rajbhandari
/// and others 2020). The arena is cut into buckets of whole blocks (model::kOptimizerBlock elements, the last one
/// shorter), and each bucket's blocks into contiguous slices, one a rank, so that every bucket keeps all ranks busy.
class BlockOwnership {
 public:
  /// Buckets of 64 blocks (16 MiB of float32), of fewer in a small arena so that there are several, and of no fewer
  /// than ranks.
  BlockOwnership(std::int64_t arena_size, int ranks);
  BlockOwnership(std::int64_t arena_size, int ranks, std::int64_t bucket_blocks);

  int ranks() const { return ranks_; }
  std::int64_t arena_size() const { return arena_size_; }
  std::int64_t bucket_count() const { return (block_count() + bucket_blocks_ - 1) / bucket_blocks_; }
  std::int64_t block_count() const;
  /// Elements of a block, of a bucket, and of a rank's slice of a bucket (whole blocks; may be empty).
  model::shape::ParameterRange block(std::int64_t index) const { return elements(index, index + 1); }
  model::shape::ParameterRange bucket(std::int64_t index) const;
  /// The bucket that holds this element of the arena.
  std::int64_t bucket_of(std::int64_t element) const {
    return element / (bucket_blocks_ * model::optimizer::kOptimizerBlock);
  }
  /// The buckets that hold nothing outside of range.
  IndexRange buckets_within(model::shape::ParameterRange range) const;
  model::shape::ParameterRange slice(std::int64_t bucket, int rank) const;

  /// A rank's slices that are not empty, in arena order.
  std::vector<model::shape::ParameterRange> slices_of(int rank) const;
  /// Indices of a rank's blocks, in order.
  std::vector<std::int64_t> blocks_of(int rank) const;
  std::int64_t elements_of(int rank) const;

 private:
  model::shape::ParameterRange blocks_in(std::int64_t bucket, int rank) const;  // of block indices
  model::shape::ParameterRange elements(std::int64_t first_block, std::int64_t end_block) const;

  std::int64_t arena_size_;
  int ranks_;
  std::int64_t bucket_blocks_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
