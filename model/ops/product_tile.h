#pragma once
#include <cstdint>

namespace chainrule::model {

// What a product keeps in registers: 4 rows of 24 columns, twelve sums of eight lanes, which need the fewest loads for
// each multiply-add of all shapes that fit into 16 registers.
inline constexpr std::int64_t kTileRows = 4;
inline constexpr std::int64_t kTileColumns = 24;

/// c [4, 24] = (or +=) strip [k, 4]^T panel [k, 24] + bias [24].
struct ProductTile {
  std::int64_t k;
  const float* strip;
  const float* panel;  ///< at a multiple of 32 bytes
  float* c;
  std::int64_t c_stride;  ///< elements between rows of c
  const float* bias;      ///< may be null
  bool accumulate;
};

/// For processors with AVX2 and fused multiply-add. An element is one chain of multiply-adds over k, from zero; then
/// what was in c and the bias are added.
void multiply_tile(const ProductTile& tile);

/// The same for a tile of which only `rows` rows and `columns` columns are in c and in bias.
void multiply_partial_tile(const ProductTile& tile, std::int64_t rows, std::int64_t columns);

}  // namespace chainrule::model
