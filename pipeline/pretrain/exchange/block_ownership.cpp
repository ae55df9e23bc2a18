#include "pipeline/pretrain/exchange/block_ownership.h"

#include <algorithm>

#include "model/round_up.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

std::int64_t blocks_in_arena(std::int64_t arena_size) {
  return model::divide_up(arena_size, model::optimizer::kOptimizerBlock);
}

std::int64_t default_bucket_blocks(std::int64_t arena_size, int ranks) {
  constexpr std::int64_t kMost = 64;
  constexpr std::int64_t kBuckets = 16;
  const std::int64_t blocks = model::divide_up(blocks_in_arena(arena_size), kBuckets);
  return std::max<std::int64_t>(ranks, std::min(blocks, kMost));
}

}  // namespace

BlockOwnership::BlockOwnership(std::int64_t arena_size, int ranks)
    : BlockOwnership(arena_size, ranks, default_bucket_blocks(arena_size, ranks)) {}

BlockOwnership::BlockOwnership(std::int64_t arena_size, int ranks, std::int64_t bucket_blocks)
    : arena_size_(arena_size), ranks_(ranks), bucket_blocks_(bucket_blocks) {}

std::int64_t BlockOwnership::block_count() const { return blocks_in_arena(arena_size_); }

model::shape::ParameterRange BlockOwnership::elements(IndexRange blocks) const {
  return {std::min(blocks.begin * model::optimizer::kOptimizerBlock, arena_size_),
          std::min(blocks.end * model::optimizer::kOptimizerBlock, arena_size_)};
}

IndexRange BlockOwnership::blocks_of_slice(std::int64_t bucket, int rank) const {
  const std::int64_t first = bucket * bucket_blocks_;
  const IndexRange part = part_of(std::min(bucket_blocks_, block_count() - first), rank, ranks_);
  return {first + part.begin, first + part.end};
}

model::shape::ParameterRange BlockOwnership::bucket(std::int64_t index) const {
  return elements({index * bucket_blocks_, (index + 1) * bucket_blocks_});
}

model::shape::ParameterRange BlockOwnership::slice(std::int64_t bucket, int rank) const {
  return elements(blocks_of_slice(bucket, rank));
}

}  // namespace chainrule::pipeline::pretrain::exchange
