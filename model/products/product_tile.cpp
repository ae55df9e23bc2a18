#include "model/products/product_tile.h"

#include <algorithm>
#include <cstring>

#include "model/simd/instruction_sets.h"

namespace chainrule::model::products {
namespace {

/// Adds k steps to the sums. The short loops must be unrolled, else the sums live in memory.
template <typename Vector, int Rows, int Vectors>
inline __attribute__((always_inline)) void add_steps(std::int64_t k, const float* strip, const float* panel,
                                                     Vector* sums) {
  constexpr int kLanes = sizeof(Vector) / sizeof(float);
  constexpr int kAhead = 16;  // steps of the strip, which comes from farther away than the panel
#pragma GCC unroll 8
  for (std::int64_t p = 0; p < k; ++p) {
    __builtin_prefetch(strip + kAhead * Rows);
    Vector right[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) std::memcpy(&right[v], panel + v * kLanes, sizeof(Vector));
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row) {
      const float left = strip[row];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[row * Vectors + v] += left * right[v];
    }
    strip += Rows;
    panel += Vectors * kLanes;
  }
}

template <typename Vector, int Rows, int Vectors>
inline __attribute__((always_inline)) void multiply_tile(const ProductTile& tile) {
  constexpr int kLanes = sizeof(Vector) / sizeof(float);
  constexpr int kCacheLine = 16;  // floats
  float* c = tile.c;
  const std::int64_t c_stride = tile.c_stride;
  Vector sums[Rows * Vectors];
#pragma GCC unroll 32
  for (auto& sum : sums) sum = Vector{};
  // What is fetched of c before the panel passes through the nearest cache is gone when it is needed.
  constexpr std::int64_t kLast = 48;
  const std::int64_t before = std::max<std::int64_t>(0, tile.k - kLast);
  add_steps<Vector, Rows, Vectors>(before, tile.strip, tile.panel, sums);
  for (int row = 0; row < Rows; ++row) {
#pragma GCC unroll 4
    for (int column = 0; column < Vectors * kLanes; column += kCacheLine) {
      __builtin_prefetch(c + row * c_stride + column, 1);
    }
  }
  add_steps<Vector, Rows, Vectors>(tile.k - before, tile.strip + before * Rows, tile.panel + before * Vectors * kLanes,
                                   sums);
#pragma GCC unroll 8
  for (int row = 0; row < Rows; ++row) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      Vector sum = sums[row * Vectors + v];
      Vector other;
      float* to = c + row * c_stride + v * kLanes;
      if (tile.accumulate) {
        std::memcpy(&other, to, sizeof(Vector));
        sum += other;
      }
      if (tile.bias != nullptr) {
        std::memcpy(&other, tile.bias + v * kLanes, sizeof(Vector));
        sum += other;
      }
      std::memcpy(to, &sum, sizeof(Vector));
    }
  }
}

}  // namespace

CHAINRULE_AVX2
void multiply_tile_4x24(const ProductTile& tile) { multiply_tile<simd::Vector8, 4, 3>(tile); }

CHAINRULE_AVX512
void multiply_tile_8x48(const ProductTile& tile) { multiply_tile<simd::Vector16, 8, 3>(tile); }

}  // namespace chainrule::model::products
