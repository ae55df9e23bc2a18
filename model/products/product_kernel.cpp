#include "model/products/product_kernel.h"

#include <array>

#include "model/simd/instruction_sets.h"

namespace chainrule::model::products {

const ProductKernel kAvx2Kernel = {4, 24, 512, 0, multiply_tile_4x24, pack_strips_of_4, pack_panel_of_24};
const ProductKernel kAvx512Kernel = {8, 48, 1024, 370, multiply_tile_8x48, pack_strips_of_8, pack_panel_of_48};

const ProductKernel* kernel_for_this_processor() {
#if defined(__x86_64__)
  // Intel's processors with AVX-512 are what oneDNN's kernels are tuned for, and nobody has measured ours on them.
  if (simd::processor_has_avx512()) return __builtin_cpu_is("amd") ? &kAvx512Kernel : nullptr;
  if (simd::processor_has_avx2()) return &kAvx2Kernel;
#endif
  return nullptr;
}

void multiply_partial_tile(const ProductKernel& kernel, const ProductTile& tile, std::int64_t rows,
                           std::int64_t columns) {
  constexpr std::int64_t kLargestTile = 8 * 48;
  std::array<float, kLargestTile> whole;
  kernel.multiply_tile({tile.k, tile.strip, tile.panel, whole.data(), kernel.columns, nullptr, false});
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      float* to = tile.c + row * tile.c_stride + column;
      float sum = whole[static_cast<std::size_t>(row * kernel.columns + column)];
      if (tile.accumulate) sum += *to;
      if (tile.bias != nullptr) sum += tile.bias[column];
      *to = sum;
    }
  }
}

}  // namespace chainrule::model::products
