#pragma once
#include <cstdint>

#include "model/optimizer/adamw.h"
#include "model/round_up.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

/// An ownership for optimizers that work element by element: buckets are whole blocks (the arena's last one shorter),
/// and each bucket's blocks are divided among all ranks, so that every bucket keeps all of them busy.
class BlockOwnership final : public Ownership {
 public:
  /// Buckets of 64 blocks (16 MiB of float32), of fewer in a small arena so that there are several, and of no fewer
  /// than ranks.
  BlockOwnership(std::int64_t arena_size, int ranks);
  BlockOwnership(std::int64_t arena_size, int ranks, std::int64_t bucket_blocks);

  int ranks() const override { return ranks_; }
  std::int64_t arena_size() const override { return arena_size_; }
  std::int64_t bucket_count() const override { return model::divide_up(block_count(), bucket_blocks_); }
  model::shape::ParameterRange bucket(std::int64_t index) const override;
  std::int64_t bucket_of(std::int64_t element) const override {
    return element / (bucket_blocks_ * model::optimizer::kOptimizerBlock);
  }
  model::shape::ParameterRange slice(std::int64_t bucket, int rank) const override;
  std::int64_t block_count() const override;
  model::shape::ParameterRange block(std::int64_t index) const override { return elements({index, index + 1}); }
  IndexRange blocks_of_slice(std::int64_t bucket, int rank) const override;

 private:
  model::shape::ParameterRange elements(IndexRange blocks) const;

  std::int64_t arena_size_;
  int ranks_;
  std::int64_t bucket_blocks_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
