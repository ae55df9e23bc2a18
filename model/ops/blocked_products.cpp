#include "model/ops/blocked_products.h"

#include <omp.h>

#include <algorithm>

#include "model/ops/pack_factors.h"
#include "model/ops/product_tile.h"

namespace chainrule::model {
namespace {

constexpr std::int64_t kDepth = 384;       // of k packed at a time: a panel of B stays in the first-level cache
constexpr std::int64_t kSliceRows = 3072;  // of A packed at a time, whole strips

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct Operands {
  Factor a;  // lanes: rows of the result
  Factor b;  // lanes: columns of the result
  const float* bias;
  float* c;
};

/// One panel of B times a packed slice of A. c: the slice's first row in the panel's first column.
void multiply_panel(std::int64_t rows, std::int64_t columns, std::int64_t depth, const float* strips,
                    const float* panel, const float* bias, float* c, std::int64_t c_stride, bool accumulate) {
  for (std::int64_t row = 0; row < rows; row += kTileRows) {
    const ProductTile tile{depth, strips + row * depth, panel, c + row * c_stride, c_stride, bias, accumulate};
    if (row + kTileRows <= rows && columns == kTileColumns) {
      multiply_tile(tile);
    } else {
      multiply_partial_tile(tile, std::min(kTileRows, rows - row), columns);
    }
  }
}

/// The product of one thread's rectangle, of m rows and n columns; k and the strides are the shape's.
void multiply_rectangle(const onednn::ProductShape& shape, const Operands& at, std::int64_t m, std::int64_t n,
                        float* strips) {
  float* panel = strips + kSliceRows * kDepth;
  for (std::int64_t first_row = 0; first_row < m; first_row += kSliceRows) {
    const std::int64_t rows = std::min(kSliceRows, m - first_row);
    for (std::int64_t first = 0; first < shape.k; first += kDepth) {
      const std::int64_t depth = std::min(kDepth, shape.k - first);
      pack_strips(at.a.part(first_row, first), rows, depth, strips);
      for (std::int64_t column = 0; column < n; column += kTileColumns) {
        const std::int64_t columns = std::min(kTileColumns, n - column);
        pack_panel(at.b.part(column, first), columns, depth, panel);
        multiply_panel(rows, columns, depth, strips, panel, shape.biased && first == 0 ? at.bias + column : nullptr,
                       at.c + first_row * shape.c_stride + column, shape.c_stride, shape.accumulate || first > 0);
      }
    }
  }
}

}  // namespace

bool BlockedProducts::fit_this_processor() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !__builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

ThreadGrid thread_grid(std::int64_t m, std::int64_t n, std::int64_t threads) {
  // A lane packed costs as much as about so many multiply-adds for each step of k.
  constexpr std::int64_t kPackRow = 16;
  constexpr std::int64_t kPackColumn = 24;
  ThreadGrid best;
  std::int64_t least = 0;
  for (std::int64_t down = 1; down <= threads; ++down) {
    if (threads % down != 0) continue;
    const ThreadGrid grid{down, threads / down};
    const std::int64_t rows = round_up((m + grid.down - 1) / grid.down, kTileRows);
    const std::int64_t columns = round_up((n + grid.across - 1) / grid.across, kTileColumns);
    const std::int64_t cost = rows * columns + kPackRow * rows + kPackColumn * columns;
    if (down == 1 || cost < least) {
      best = grid;
      least = cost;
    }
  }
  return best;
}

void BlockedProducts::multiply(const onednn::ProductShape& shape, const float* a, const float* b, const float* bias,
                               float* c) {
  const auto threads = static_cast<std::size_t>(omp_get_max_threads());
  if (packed_.size() < threads) packed_.resize(threads);
  for (Arena& each : packed_) {
    if (each.size() == 0) each = Arena((kSliceRows + kTileColumns) * kDepth);
  }
  const Operands whole{shape.transpose_a ? Factor{a, 1, shape.a_stride} : Factor{a, shape.a_stride, 1},
                       shape.transpose_b ? Factor{b, shape.b_stride, 1} : Factor{b, 1, shape.b_stride}, bias, c};
#pragma omp parallel
  {
    // The threads that came, which may be fewer than asked for.
    const ThreadGrid grid = thread_grid(shape.m, shape.n, omp_get_num_threads());
    const std::int64_t rows = round_up((shape.m + grid.down - 1) / grid.down, kTileRows);
    const std::int64_t columns = round_up((shape.n + grid.across - 1) / grid.across, kTileColumns);
    const std::int64_t row = omp_get_thread_num() / grid.across * rows;
    const std::int64_t column = omp_get_thread_num() % grid.across * columns;
    if (row < shape.m && column < shape.n) {
      const Operands mine{whole.a.part(row, 0), whole.b.part(column, 0), bias == nullptr ? nullptr : bias + column,
                          c + row * shape.c_stride + column};
      multiply_rectangle(shape, mine, std::min(rows, shape.m - row), std::min(columns, shape.n - column),
                         packed_[static_cast<std::size_t>(omp_get_thread_num())].data());
    }
  }
}

}  // namespace chainrule::model
