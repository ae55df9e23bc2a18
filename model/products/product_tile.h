#pragma once
#include <cstdint>

namespace chainrule::model::products {

/// c [R, C] = (or +=) strip [k, R]^T panel [k, C] + bias [C]: what a product keeps in registers. R and C are those of
/// the function that multiplies it. An element is one chain of multiply-adds over k, from zero; then what was in c and
/// the bias are added: so its bits are the same whichever function it is.
struct ProductTile {
  std::int64_t k;
  const float* strip;
  const float* panel;  ///< at a multiple of 64 bytes
  float* c;
  std::int64_t c_stride;  ///< elements between rows of c
  const float* bias;      ///< may be null
  bool accumulate;
};

/// 4 rows of 24 columns, twelve sums of eight lanes, which need the fewest loads for each multiply-add of all shapes
/// that fit into 16 registers. For processors with AVX2 and fused multiply-add.
void multiply_tile_4x24(const ProductTile& tile);

/// 8 rows of 48 columns, 24 sums of sixteen lanes in 32 registers. For processors with AVX-512.
void multiply_tile_8x48(const ProductTile& tile);

}  // namespace chainrule::model::products
