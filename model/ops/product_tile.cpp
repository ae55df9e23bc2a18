#include "model/ops/product_tile.h"

#include "model/ops/avx2.h"

namespace chainrule::model {

CHAINRULE_AVX2
void multiply_tile(const ProductTile& tile) {
  constexpr int kVectors = kTileColumns / 8;
  const float* strip = tile.strip;
  const float* panel = tile.panel;
  float* c = tile.c;
  const std::int64_t c_stride = tile.c_stride;
  for (int row = 0; row < kTileRows; ++row) {
    __builtin_prefetch(c + row * c_stride, 1);
    __builtin_prefetch(c + row * c_stride + 16, 1);
  }
  // The short loops must be unrolled, else the sums live in memory.
  Vector8 sums[kTileRows * kVectors];
#pragma GCC unroll 12
  for (auto& sum : sums) sum = Vector8{};
  const std::int64_t k = tile.k;
#pragma GCC unroll 8
  for (std::int64_t p = 0; p < k; ++p) {
    Vector8 right[kVectors];
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) right[v] = load8(panel + v * 8);
#pragma GCC unroll 4
    for (int row = 0; row < kTileRows; ++row) {
      const float left = strip[row];
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) sums[row * kVectors + v] += left * right[v];
    }
    strip += kTileRows;
    panel += kTileColumns;
  }
#pragma GCC unroll 4
  for (int row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      Vector8 sum = sums[row * kVectors + v];
      if (tile.accumulate) sum += load8(c + row * c_stride + v * 8);
      if (tile.bias != nullptr) sum += load8(tile.bias + v * 8);
      store8(sum, c + row * c_stride + v * 8);
    }
  }
}

void multiply_partial_tile(const ProductTile& tile, std::int64_t rows, std::int64_t columns) {
  float whole[kTileRows * kTileColumns];
  multiply_tile({tile.k, tile.strip, tile.panel, whole, kTileColumns, nullptr, false});
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      float* to = tile.c + row * tile.c_stride + column;
      float sum = whole[row * kTileColumns + column];
      if (tile.accumulate) sum += *to;
      if (tile.bias != nullptr) sum += tile.bias[column];
      *to = sum;
    }
  }
}

}  // namespace chainrule::model
