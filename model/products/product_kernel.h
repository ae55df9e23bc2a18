#pragma once
#include <cstdint>

#include "model/products/pack_factors.h"
#include "model/products/product_tile.h"

namespace chainrule::model::products {

/// How one kind of processor multiplies.
struct ProductKernel {
  std::int64_t rows;     ///< of a tile, and lanes of a strip
  std::int64_t columns;  ///< of a tile, and lanes of a panel
  std::int64_t depth;    ///< of k, the most that is packed at a time, so that a panel stays in the nearer caches
  /// Multiply-adds for each element that a thread packs from which this kernel is faster than oneDNN, which packs less.
  std::int64_t least_reuse;
  void (*multiply_tile)(const ProductTile& tile);
  void (*pack_strips)(const Factor& a, std::int64_t rows, std::int64_t k, float* strips);
  void (*pack_panel)(const Factor& b, std::int64_t columns, std::int64_t k, float* panel);
};

/// For processors with AVX2 and fused multiply-add, and for those with AVX-512.
extern const ProductKernel kAvx2Kernel;
extern const ProductKernel kAvx512Kernel;

/// The one that is known to be faster than oneDNN on this processor, for some products at least; null where none is.
const ProductKernel* kernel_for_this_processor();

/// As kernel.multiply_tile, for a tile of which only `rows` rows and `columns` columns are in c and in bias.
void multiply_partial_tile(const ProductKernel& kernel, const ProductTile& tile, std::int64_t rows,
                           std::int64_t columns);

}  // namespace chainrule::model::products
