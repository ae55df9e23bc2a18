#include "model/ops/blocked_products.h"

#include <omp.h>

#include <algorithm>

#include "model/ops/pack_factors.h"
#include "model/ops/product_tile.h"
#include "model/round_up.h"

namespace chainrule::model {
namespace {

constexpr std::int64_t kDepth = 512;       // of k, the most that is packed at a time: a panel of B stays near
constexpr std::int64_t kSliceRows = 3072;  // of A, the most that is packed at a time; whole strips

std::int64_t shared_out(std::int64_t value, std::int64_t parts, std::int64_t multiple) {
  return round_up((value + parts - 1) / parts, multiple);
}

/// The part of the result that a thread begins with. Threads side by side in the grid have the same rows.
struct Cell {
  std::int64_t row, rows, column, columns;
};

Cell cell_of(const onednn::ProductShape& shape, const ThreadGrid& grid, std::int64_t thread) {
  const std::int64_t rows = shared_out(shape.m, grid.down, kTileRows);
  const std::int64_t columns = shared_out(shape.n, grid.across, kTileColumns);
  const std::int64_t row = thread / grid.across * rows;
  const std::int64_t column = thread % grid.across * columns;
  return {row, std::min(rows, shape.m - row), column, std::min(columns, shape.n - column)};
}

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

}  // namespace

struct BlockedProducts::Call {
  const onednn::ProductShape& shape;
  Factor a;  // lanes: rows of the result
  Factor b;  // lanes: columns of the result
  const float* bias;
  float* c;
};

/// What all threads work on between two barriers.
struct BlockedProducts::Block {
  std::int64_t first_row;  // of the slice, in each cell
  std::int64_t first;      // of k
  std::int64_t depth;

  std::int64_t rows_of(const Cell& cell) const { return std::min(kSliceRows, cell.rows - first_row); }
};

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
    const std::int64_t rows = shared_out(m, grid.down, kTileRows);
    const std::int64_t columns = shared_out(n, grid.across, kTileColumns);
    const std::int64_t cost = rows * columns + kPackRow * rows + kPackColumn * columns;
    if (down == 1 || cost < least) {
      best = grid;
      least = cost;
    }
  }
  return best;
}

float* BlockedProducts::strips_of(const ThreadGrid& grid, std::int64_t thread) {
  return memory_[static_cast<std::size_t>(thread / grid.across * grid.across)].data();
}

void BlockedProducts::pack_rows(const Call& call, const ThreadGrid& grid, std::int64_t thread, const Block& block) {
  const Cell cell = cell_of(call.shape, grid, thread);
  const std::int64_t rows = block.rows_of(cell);
  const std::int64_t share = shared_out(std::max<std::int64_t>(rows, 0), grid.across, kTileRows);
  const std::int64_t begin = thread % grid.across * share;
  const std::int64_t end = std::min(rows, begin + share);
  if (begin >= end) return;
  pack_strips(call.a.part(cell.row + block.first_row + begin, block.first), end - begin, block.depth,
              strips_of(grid, thread) + begin * block.depth);
}

void BlockedProducts::take_panels(const Call& call, const ThreadGrid& grid, std::int64_t thread, std::int64_t from,
                                  const Block& block) {
  const onednn::ProductShape& shape = call.shape;
  const Cell cell = cell_of(shape, grid, from);
  const std::int64_t rows = block.rows_of(cell);
  if (rows <= 0) return;
  float* panel = memory_[static_cast<std::size_t>(thread)].data() + kSliceRows * kDepth;
  std::atomic<std::int64_t>& taken = panels_taken_[static_cast<std::size_t>(from)].count;
  for (;;) {
    const std::int64_t at = taken.fetch_add(1, std::memory_order_relaxed) * kTileColumns;
    if (at >= cell.columns) return;
    const std::int64_t columns = std::min(kTileColumns, cell.columns - at);
    const std::int64_t column = cell.column + at;
    const bool begins = block.first == 0;
    pack_panel(call.b.part(column, block.first), columns, block.depth, panel);
    multiply_panel(
        rows, columns, block.depth, strips_of(grid, from), panel, shape.biased && begins ? call.bias + column : nullptr,
        call.c + (cell.row + block.first_row) * shape.c_stride + column, shape.c_stride, shape.accumulate || !begins);
  }
}

void BlockedProducts::multiply_share(const Call& call, const ThreadGrid& grid, std::int64_t thread) {
  const onednn::ProductShape& shape = call.shape;
  const std::int64_t threads = grid.down * grid.across;
  const std::int64_t depth = shared_out(shape.k, (shape.k + kDepth - 1) / kDepth, 8);
  const std::int64_t most_rows = shared_out(shape.m, grid.down, kTileRows);
  for (std::int64_t first_row = 0; first_row < most_rows; first_row += kSliceRows) {
    for (std::int64_t first = 0; first < shape.k; first += depth) {
      const Block block{first_row, first, std::min(depth, shape.k - first)};
      pack_rows(call, grid, thread, block);
      panels_taken_[static_cast<std::size_t>(thread)].count.store(0, std::memory_order_relaxed);
#pragma omp barrier
      // Its own panels first, then those that others have not come to.
      for (std::int64_t turn = 0; turn < threads; ++turn) {
        take_panels(call, grid, thread, (thread + turn) % threads, block);
      }
#pragma omp barrier
    }
  }
}

void BlockedProducts::reserve(std::size_t threads) {
  if (memory_.size() >= threads) return;
  memory_.resize(threads);
  for (Arena& each : memory_) {
    if (each.size() == 0) each = Arena((kSliceRows + kTileColumns) * kDepth);
  }
  panels_taken_ = std::vector<PanelsTaken>(threads);
}

void BlockedProducts::multiply(const onednn::ProductShape& shape, const float* a, const float* b, const float* bias,
                               float* c) {
  reserve(static_cast<std::size_t>(omp_get_max_threads()));
  const Call call{shape, shape.transpose_a ? Factor{a, 1, shape.a_stride} : Factor{a, shape.a_stride, 1},
                  shape.transpose_b ? Factor{b, shape.b_stride, 1} : Factor{b, 1, shape.b_stride}, bias, c};
#pragma omp parallel
  {
    // The threads that came, which may be fewer than asked for.
    multiply_share(call, thread_grid(shape.m, shape.n, omp_get_num_threads()), omp_get_thread_num());
  }
}

}  // namespace chainrule::model
