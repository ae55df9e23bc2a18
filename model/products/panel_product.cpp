#include "model/products/panel_product.h"

#include <algorithm>
#include <cstring>

#include "model/round_up.h"
#include "model/simd/instruction_sets.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::products {
namespace {

// The sums of a tile stay in registers: 6 rows of two vectors of AVX2; of AVX-512, 12 rows of one vector or, where
// there are two panels, of two, which halves the loads of a for each multiply-add.

/// One tile: Rows rows, the 16 columns of each of Panels panels. The short loops must be unrolled, else the sums live
/// in memory.
template <typename Vector, int Rows, int Panels = 1>
inline __attribute__((always_inline)) void tile(std::int64_t k, const float* a, std::int64_t a_row,
                                                std::int64_t a_column, const float* b, std::int64_t b_panel, float* c,
                                                std::int64_t c_row, bool accumulate) {
  constexpr int kLanes = sizeof(Vector) / sizeof(float);
  constexpr int kVectors = Panels * kPanelColumns / kLanes;
  Vector sums[Rows * kVectors];
#pragma GCC unroll 32
  for (int each = 0; each < Rows * kVectors; ++each) {
    sums[each] = Vector{};
    if (accumulate) std::memcpy(&sums[each], c + each / kVectors * c_row + each % kVectors * kLanes, sizeof(Vector));
  }
  for (std::int64_t p = 0; p < k; ++p) {
    Vector right[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t lane = v * kLanes;
      std::memcpy(&right[v], b + lane / kPanelColumns * b_panel + p * kPanelColumns + lane % kPanelColumns,
                  sizeof(Vector));
    }
#pragma GCC unroll 16
    for (int row = 0; row < Rows; ++row) {
      const float left = a[row * a_row + p * a_column];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[row * kVectors + v] += left * right[v];
    }
  }
#pragma GCC unroll 32
  for (int each = 0; each < Rows * kVectors; ++each) {
    std::memcpy(c + each / kVectors * c_row + each % kVectors * kLanes, &sums[each], sizeof(Vector));
  }
}

using Tile = void (*)(std::int64_t k, const float* a, std::int64_t a_row, std::int64_t a_column, const float* b,
                      std::int64_t b_panel, float* c, std::int64_t c_row, bool accumulate);

// A name for each number of rows, because multiversioned functions cannot be templates.
#define CHAINRULE_TILE(name, ...)                                                                      \
  CHAINRULE_MULTIVERSION                                                                               \
  void name(std::int64_t k, const float* a, std::int64_t a_row, std::int64_t a_column, const float* b, \
            std::int64_t b_panel, float* c, std::int64_t c_row, bool accumulate) {                     \
    tile<__VA_ARGS__>(k, a, a_row, a_column, b, b_panel, c, c_row, accumulate);                        \
  }
CHAINRULE_TILE(one_row, simd::Vector8, 1)
CHAINRULE_TILE(two_rows, simd::Vector8, 2)
CHAINRULE_TILE(four_rows, simd::Vector8, 4)
CHAINRULE_TILE(six_rows, simd::Vector8, 6)
CHAINRULE_TILE(twelve_rows, simd::Vector16, 12)
CHAINRULE_TILE(twelve_rows_of_two_panels, simd::Vector16, 12, 2)
#undef CHAINRULE_TILE

/// A tile of which only some columns exist in c.
void narrow_tile(Tile tile, std::int64_t rows, std::int64_t columns, std::int64_t k, const float* a, std::int64_t a_row,
                 std::int64_t a_column, const float* b, float* c, std::int64_t c_row, bool accumulate) {
  constexpr std::int64_t kMostRows = 12;
  float whole[kMostRows * kPanelColumns] = {};
  for (std::int64_t row = 0; accumulate && row < rows; ++row) {
    std::copy_n(c + row * c_row, columns, whole + row * kPanelColumns);
  }
  tile(k, a, a_row, a_column, b, 0, whole, kPanelColumns, accumulate);
  for (std::int64_t row = 0; row < rows; ++row) std::copy_n(whole + row * kPanelColumns, columns, c + row * c_row);
}

/// One panel, or what there is of it, from a row of a on.
void multiply_panel(const PanelProduct& product, std::int64_t rows_together, std::int64_t column,
                    std::int64_t first_row) {
  const auto& [m, n, k, a, a_row, a_column, b, b_rows, c, c_row, accumulate] = product;
  const float* panel = b + column * b_rows;
  for (std::int64_t row = first_row; row < m;) {
    const std::int64_t left = m - row;
    const std::int64_t rows = left >= rows_together ? rows_together : left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const Tile tile = rows == 12  ? twelve_rows
                      : rows == 6 ? six_rows
                      : rows == 4 ? four_rows
                      : rows == 2 ? two_rows
                                  : one_row;
    float* to = c + row * c_row + column;
    if (n - column >= kPanelColumns) {
      tile(k, a + row * a_row, a_row, a_column, panel, 0, to, c_row, accumulate);
    } else {
      narrow_tile(tile, rows, n - column, k, a + row * a_row, a_row, a_column, panel, to, c_row, accumulate);
    }
    row += rows;
  }
}

CHAINRULE_MULTIVERSION
void copy_block(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      to[row * kPanelColumns + column] = from[row * from_row + column];
    }
  }
}

CHAINRULE_MULTIVERSION
void transpose_block(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      to[row * kPanelColumns + column] = from[column * from_row + row];
    }
  }
}

}  // namespace

std::int64_t panel_elements(std::int64_t k, std::int64_t n) { return round_up(n, kPanelColumns) * k; }

void pack_panels(const float* from, std::int64_t stride, std::int64_t k, std::int64_t n, float* panels) {
  for (std::int64_t column = 0; column < n; column += kPanelColumns, panels += k * kPanelColumns) {
    const std::int64_t columns = std::min(kPanelColumns, n - column);
    if (columns < kPanelColumns) std::fill_n(panels, k * kPanelColumns, 0.0F);
    copy_block(from + column, stride, k, columns, panels);
  }
}

void pack_transposed_panels(const float* from, std::int64_t stride, std::int64_t k, std::int64_t n, float* panels) {
  for (std::int64_t column = 0; column < n; column += kPanelColumns, panels += k * kPanelColumns) {
    const std::int64_t columns = std::min(kPanelColumns, n - column);
    if (columns < kPanelColumns) std::fill_n(panels, k * kPanelColumns, 0.0F);
    transpose_block(from + column * stride, stride, k, columns, panels);
  }
}

std::int64_t panel_product_rows() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  return wide ? 12 : 6;
#else
  return 6;
#endif
}

void multiply_panels(const PanelProduct& product) { multiply_panels(product, panel_product_rows()); }

void multiply_panels(const PanelProduct& product, std::int64_t rows_together) {
  const PanelProduct& p = product;
  for (std::int64_t column = 0; column < p.n;) {
    std::int64_t end = column + kPanelColumns;
    std::int64_t row = 0;
    if (rows_together == 12 && column + 2 * kPanelColumns <= p.n) {
      end = column + 2 * kPanelColumns;
      for (; row + 12 <= p.m; row += 12) {
        twelve_rows_of_two_panels(p.k, p.a + row * p.a_row, p.a_row, p.a_column, p.b + column * p.b_rows,
                                  p.b_rows * kPanelColumns, p.c + row * p.c_row + column, p.c_row, p.accumulate);
      }
    }
    for (; column < std::min(p.n, end); column += kPanelColumns) multiply_panel(p, rows_together, column, row);
  }
}

}  // namespace chainrule::model::products
