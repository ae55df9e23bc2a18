// How many bytes a shape takes, and where that cannot be counted; rounding to bfloat16.
#include "io/tensors/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "io/tensors/bfloat16.h"

namespace chainrule::io::tensors {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> bytes(Encoding encoding, const std::vector<std::int64_t>& shape) {
  return tensor_bytes(block_size(encoding), shape);
}

TEST(Encoding, BytesOfShapes) {
  EXPECT_EQ(bytes(Encoding::f32, {3, 5}), 60);
  EXPECT_EQ(bytes(Encoding::f16, {7}), 14);
  EXPECT_EQ(bytes(Encoding::bf16, {}), 2);
  EXPECT_EQ(bytes(Encoding::q8_0, {3, 64}), 3 * 68);
  EXPECT_EQ(bytes(Encoding::q4_0, {3, 64}), 3 * 36);
  EXPECT_EQ(bytes(Encoding::q4_1, {2, 3, 32}), 6 * 20);
  EXPECT_EQ(bytes(Encoding::q4_1, {0, 32}), 0);
  EXPECT_EQ(row_bytes(block_size(Encoding::q8_0), 96), 102);
}

TEST(Encoding, BlocksNeverCrossRows) {
  EXPECT_EQ(bytes(Encoding::q8_0, {32, 33}), std::nullopt);
  EXPECT_EQ(bytes(Encoding::q4_0, {64, 16}), std::nullopt);  // 1024 elements, but no row has a block
  EXPECT_EQ(bytes(Encoding::q4_0, {}), std::nullopt);
}

TEST(Encoding, WhatCannotBeCountedIsNothing) {
  EXPECT_EQ(element_count(std::vector<std::int64_t>{-1, 2}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{-2, -2}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{1LL << 32, 1LL << 31}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{kMost}), kMost);
  EXPECT_EQ(bytes(Encoding::f32, {kMost}), std::nullopt);
  EXPECT_EQ(bytes(Encoding::f32, {kMost / 4}), kMost / 4 * 4);
  EXPECT_EQ(bytes(Encoding::q8_0, {1LL << 29, 1LL << 33}), 34 * (1LL << 57));
  EXPECT_EQ(bytes(Encoding::q8_0, {1LL << 29, 1LL << 34}), std::nullopt);
}

TEST(Encoding, BfloatIsTheNearestAndTheEvenOneOfTwo) {
  EXPECT_EQ(nearest_bfloat16(1.0F), 0x3F80);
  EXPECT_EQ(nearest_bfloat16(std::bit_cast<float>(0x3F808000U)), 0x3F80);  // a tie
  EXPECT_EQ(nearest_bfloat16(std::bit_cast<float>(0x3F818000U)), 0x3F82);
  EXPECT_EQ(nearest_bfloat16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_EQ(nearest_bfloat16(std::bit_cast<float>(0xBF807FFFU)), 0xBF80);
  EXPECT_EQ(nearest_bfloat16(std::numeric_limits<float>::max()), 0x7F80);  // rounds to infinity
  EXPECT_EQ(nearest_bfloat16(-std::numeric_limits<float>::infinity()), 0xFF80);
  EXPECT_EQ(nearest_bfloat16(-0.0F), 0x8000);
  for (const std::uint32_t nan : {0x7F800001U, 0xFFFFFFFFU, 0x7FC00000U}) {
    const auto rounded = std::uint32_t{nearest_bfloat16(std::bit_cast<float>(nan))} << 16U;
    EXPECT_TRUE(std::isnan(std::bit_cast<float>(rounded))) << std::hex << nan;
  }
}

}  // namespace
}  // namespace chainrule::io::tensors
