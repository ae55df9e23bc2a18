#include "pipeline/pretrain/exchange/block_ownership.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

std::int64_t blocks_in_arena(std::int64_t arena_size) {
  return (arena_size + model::optimizer::kOptimizerBlock - 1) / model::optimizer::kOptimizerBlock;
}

std::int64_t default_bucket_blocks(std::int64_t arena_size, int ranks) {
  constexpr std::int64_t kMost = 64;
  constexpr std::int64_t kBuckets = 16;
  const std::int64_t blocks = (blocks_in_arena(arena_size) + kBuckets - 1) / kBuckets;
  return std::max<std::int64_t>(ranks, std::min(blocks, kMost));
}

}  // namespace

BlockOwnership::BlockOwnership(std::int64_t arena_size, int ranks)
    : BlockOwnership(arena_size, ranks, default_bucket_blocks(arena_size, ranks)) {}

BlockOwnership::BlockOwnership(std::int64_t arena_size, int ranks, std::int64_t bucket_blocks)
    : arena_size_(arena_size), ranks_(ranks), bucket_blocks_(bucket_blocks) {}

std::int64_t BlockOwnership::block_count() const { return blocks_in_arena(arena_size_); }

model::shape::ParameterRange BlockOwnership::elements(std::int64_t first_block, std::int64_t end_block) const {
  return {std::min(first_block * model::optimizer::kOptimizerBlock, arena_size_),
          std::min(end_block * model::optimizer::kOptimizerBlock, arena_size_)};
}

model::shape::ParameterRange BlockOwnership::blocks_in(std::int64_t bucket, int rank) const {
  const std::int64_t first = bucket * bucket_blocks_;
  const IndexRange part = part_of(std::min(bucket_blocks_, block_count() - first), rank, ranks_);
  return {first + part.begin, first + part.end};
}

model::shape::ParameterRange BlockOwnership::bucket(std::int64_t index) const {
  return elements(index * bucket_blocks_, (index + 1) * bucket_blocks_);
}

IndexRange BlockOwnership::buckets_within(model::shape::ParameterRange range) const {
  IndexRange within = {0, bucket_count()};
  while (within.size() > 0 && bucket(within.begin).begin < range.begin) ++within.begin;
  while (within.size() > 0 && bucket(within.end - 1).end > range.end) --within.end;
  return within;
}

model::shape::ParameterRange BlockOwnership::slice(std::int64_t bucket, int rank) const {
  const model::shape::ParameterRange blocks = blocks_in(bucket, rank);
  return elements(blocks.begin, blocks.end);
}

std::vector<model::shape::ParameterRange> BlockOwnership::slices_of(int rank) const {
  std::vector<model::shape::ParameterRange> slices;
  for (std::int64_t each = 0; each < bucket_count(); ++each) {
    if (const auto mine = slice(each, rank); mine.begin < mine.end) slices.push_back(mine);
  }
  return slices;
}

std::vector<std::int64_t> BlockOwnership::blocks_of(int rank) const {
  std::vector<std::int64_t> blocks;
  for (std::int64_t each = 0; each < bucket_count(); ++each) {
    const auto mine = blocks_in(each, rank);
    for (std::int64_t block = mine.begin; block < mine.end; ++block) blocks.push_back(block);
  }
  return blocks;
}

std::int64_t BlockOwnership::elements_of(int rank) const {
  std::int64_t sum = 0;
  for (const auto& slice : slices_of(rank)) sum += slice.end - slice.begin;
  return sum;
}

}  // namespace chainrule::pipeline::pretrain::exchange
