// Who owns what of an arena: arithmetic, at any number of ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "model/shape/config.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/matrix_ownership.h"

namespace chainrule::pipeline::pretrain::exchange {
namespace {

using model::shape::ParameterRange;
constexpr std::int64_t kBlock = model::optimizer::kOptimizerBlock;

bool lies_in(const ParameterRange& inner, const ParameterRange& outer) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

/// Buckets cover the arena, slices their bucket in rank order, and blocks the slices.
void expect_whole(const Ownership& ownership) {
  std::int64_t next = 0;
  std::int64_t next_block = 0;
  std::int64_t block_end = 0;
  for (std::int64_t bucket = 0; bucket < ownership.bucket_count(); ++bucket) {
    EXPECT_EQ(ownership.bucket(bucket).begin, next);
    EXPECT_EQ(ownership.bucket_of(next), bucket);
    EXPECT_EQ(ownership.bucket_of(ownership.bucket(bucket).end - 1), bucket);
    for (int rank = 0; rank < ownership.ranks(); ++rank) {
      const auto slice = ownership.slice(bucket, rank);
      EXPECT_EQ(slice.begin, next);
      EXPECT_LE(slice.begin, slice.end);
      next = slice.end;
      const IndexRange blocks = ownership.blocks_of_slice(bucket, rank);
      EXPECT_EQ(blocks.begin, next_block);
      for (; next_block < blocks.end; ++next_block) {
        const auto block = ownership.block(next_block);
        EXPECT_EQ(block.begin, block_end);
        EXPECT_TRUE(block.begin < block.end && block.end <= block.begin + kBlock);
        EXPECT_TRUE(lies_in(block, slice));
        block_end = block.end;
      }
    }
    EXPECT_EQ(ownership.bucket(bucket).end, next);
  }
  EXPECT_EQ(next, ownership.arena_size());
  EXPECT_EQ(block_end, ownership.arena_size());
  EXPECT_EQ(next_block, ownership.block_count());
  std::int64_t elements = 0;
  std::size_t blocks = 0;
  for (int rank = 0; rank < ownership.ranks(); ++rank) {
    elements += ownership.elements_of(rank);
    blocks += ownership.blocks_of(rank).size();
  }
  EXPECT_EQ(elements, ownership.arena_size());
  EXPECT_EQ(blocks, static_cast<std::size_t>(ownership.block_count()));
}

TEST(BlockOwnership, DividesEveryBucketAmongAllRanks) {
  for (const int ranks : {1, 2, 3, 5, 64, 70}) {
    const BlockOwnership ownership(150 * kBlock + 17, ranks, 64);
    EXPECT_EQ(ownership.bucket_count(), 3);
    EXPECT_EQ(ownership.block_count(), 151);
    expect_whole(ownership);
    std::int64_t next = 0;
    for (std::int64_t bucket = 0; bucket < ownership.bucket_count(); ++bucket) {
      EXPECT_EQ(ownership.bucket(bucket).begin, next);
      for (int rank = 0; rank < ranks; ++rank) {
        const auto slice = ownership.slice(bucket, rank);
        EXPECT_EQ(slice.begin, next);
        EXPECT_EQ(slice.begin % kBlock, 0);
        EXPECT_TRUE(bucket != 0 || ranks > 64 || slice.begin < slice.end);
        next = slice.end;
      }
      EXPECT_EQ(ownership.bucket(bucket).end, next);
    }
    EXPECT_EQ(next, ownership.arena_size());
    std::int64_t elements = 0;
    std::size_t blocks = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      elements += ownership.elements_of(rank);
      blocks += ownership.blocks_of(rank).size();
    }
    EXPECT_EQ(elements, ownership.arena_size());
    EXPECT_EQ(blocks, 151U);
  }
}

TEST(BlockOwnership, BucketsSuitTheArenaAndTheRanks) {
  EXPECT_EQ(BlockOwnership(1899 * kBlock, 2).bucket(0).end, 64 * kBlock);
  EXPECT_EQ(BlockOwnership(17 * kBlock, 2).bucket(0).end, 2 * kBlock);  // a small model still has several
  EXPECT_EQ(BlockOwnership(17 * kBlock, 7).bucket(0).end, 7 * kBlock);  // each rank owns some of it
  EXPECT_EQ(BlockOwnership(1899 * kBlock, 100).bucket(0).end, 100 * kBlock);
  EXPECT_EQ(BlockOwnership(17 * kBlock, 2).bucket_of(2 * kBlock - 1), 0);
  EXPECT_EQ(BlockOwnership(17 * kBlock, 2).bucket_of(2 * kBlock), 1);
}

TEST(BlockOwnership, FindsTheBucketsWithinARange) {
  const BlockOwnership ownership(7 * kBlock + 5, 2, 2);  // buckets of 2, 2, 2, and 1 and a bit
  const auto within = [&](std::int64_t begin, std::int64_t end) { return ownership.buckets_within({begin, end}); };
  EXPECT_EQ(within(0, 7 * kBlock + 5), (IndexRange{0, 4}));
  EXPECT_EQ(within(1, 7 * kBlock + 4), (IndexRange{1, 3}));
  EXPECT_EQ(within(2 * kBlock, 4 * kBlock), (IndexRange{1, 2}));
  EXPECT_EQ(within(3 * kBlock, 5 * kBlock).size(), 0);
  EXPECT_EQ(within(6 * kBlock + 1, 7 * kBlock + 5).size(), 0);
}

// What today's checkpoints were written by.
TEST(BlockOwnership, SlicesStayWhereTheyWere) {
  const BlockOwnership ownership(10 * kBlock + 17, 3, 4);
  EXPECT_EQ(ownership.slices_of(0),
            (std::vector<ParameterRange>{{0, kBlock}, {4 * kBlock, 5 * kBlock}, {8 * kBlock, 9 * kBlock}}));
  EXPECT_EQ(ownership.slices_of(1),
            (std::vector<ParameterRange>{{kBlock, 2 * kBlock}, {5 * kBlock, 6 * kBlock}, {9 * kBlock, 10 * kBlock}}));
  EXPECT_EQ(ownership.slices_of(2),
            (std::vector<ParameterRange>{
                {2 * kBlock, 4 * kBlock}, {6 * kBlock, 8 * kBlock}, {10 * kBlock, 10 * kBlock + 17}}));
}

std::vector<ParameterRange> matrices_of(const model::shape::ParameterTable& table) {
  std::vector<ParameterRange> matrices;
  for (const auto& parameter : table.parameters()) {
    if (parameter.shape.size() == 2 && parameter.name.starts_with("layers.")) matrices.push_back(parameter.range());
  }
  return matrices;
}

model::shape::ParameterTable table_of(std::int64_t layers, std::int64_t width) {
  return model::shape::ParameterTable({.layers = layers,
                                       .heads = 4,
                                       .width = width,
                                       .feed_forward_width = 4 * width,
                                       .vocabulary_size = 5000,
                                       .sequence_length = 128});
}

TEST(MatrixOwnership, GivesEveryMatrixToOneRank) {
  for (const std::int64_t width : {64, 260}) {  // matrices below and above a block
    const model::shape::ParameterTable table = table_of(6, width);
    const std::vector<ParameterRange> matrices = matrices_of(table);
    ASSERT_EQ(matrices.size(), 24U);
    for (const std::int64_t bucket_elements : {kBlock, 5 * kBlock, 1000 * kBlock}) {
      for (const int ranks : {1, 2, 3, 7}) {
        const MatrixOwnership ownership(table.arena_size(), matrices, ranks, bucket_elements);
        expect_whole(ownership);
        for (const ParameterRange& matrix : matrices) {
          int owners = 0;
          for (int rank = 0; rank < ranks; ++rank) {
            const auto slices = ownership.slices_of(rank);
            owners += static_cast<int>(
                std::count_if(slices.begin(), slices.end(), [&](const auto& slice) { return lies_in(matrix, slice); }));
          }
          EXPECT_EQ(owners, 1) << "matrix at " << matrix.begin << ", " << ranks << " ranks";
        }
      }
    }
  }
}

TEST(MatrixOwnership, SharesAreNearlyEqual) {
  const model::shape::ParameterTable table = table_of(12, 260);
  const std::vector<ParameterRange> matrices = matrices_of(table);
  std::int64_t largest = 0;
  for (const auto& matrix : matrices) largest = std::max(largest, matrix.end - matrix.begin);
  for (const std::int64_t bucket_elements : {kBlock, 10 * kBlock, 1000 * kBlock}) {
    for (const int ranks : {1, 2, 3, 7}) {
      const MatrixOwnership ownership(table.arena_size(), matrices, ranks, bucket_elements);
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_NEAR(static_cast<double>(ownership.elements_of(rank)), static_cast<double>(table.arena_size()) / ranks,
                    static_cast<double>(largest));
      }
    }
  }
}

TEST(MatrixOwnership, BlocksDoNotDependOnTheRanks) {
  const model::shape::ParameterTable table = table_of(6, 260);
  const MatrixOwnership alone(table.arena_size(), matrices_of(table), 1, 4 * kBlock);
  for (const int ranks : {2, 3, 7}) {
    const MatrixOwnership ownership(table.arena_size(), matrices_of(table), ranks, 9 * kBlock);
    ASSERT_EQ(ownership.block_count(), alone.block_count());
    for (std::int64_t i = 0; i < alone.block_count(); ++i) EXPECT_EQ(ownership.block(i), alone.block(i));
  }
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::exchange
