#include "model/products/blocked_products.h"

#include <omp.h>

#include <algorithm>
#include <thread>

#include "model/round_up.h"

namespace chainrule::model::products {
namespace {

constexpr std::int64_t kSliceRows = 3072;  // of A, the most that is packed at a time; whole strips
constexpr std::int64_t kDecoded = 32;      // elements of B that encodings put into a block

std::int64_t shared_out(std::int64_t value, std::int64_t parts, std::int64_t multiple) {
  return round_up(divide_up(value, parts), multiple);
}

Factor rows_of(const ProductShape& shape, const float* a) {
  return shape.transpose_a ? Factor{a, 1, shape.a_stride} : Factor{a, shape.a_stride, 1};
}

}  // namespace

struct BlockedProducts::Call {
  const ProductShape& shape;
  Factor a;  // lanes: rows of the result
  Factor b;  // lanes: columns of the result
  const float* bias;
  float* c;
  const weights::StoredMatrix* stored = nullptr;  // instead of b

  /// Columns of B, k from first on; decoded [columns * depth] is where a stored B is decoded.
  Factor panel_of(std::int64_t column, std::int64_t columns, const Block& block, float* decoded) const;
};

Factor BlockedProducts::Call::panel_of(std::int64_t column, std::int64_t columns, const Block& block,
                                       float* decoded) const {
  if (stored == nullptr) return b.part(column, block.first);
  if (stored->transposed) {
    stored->decode_columns(column, columns, block.first, block.depth, decoded, columns);
    return {decoded, 1, columns};
  }
  stored->decode_rows(column, columns, block.first, block.depth, decoded, block.depth);
  return {decoded, block.depth, 1};
}

/// Others are at work for us on cores of their own, for a short time; where there are more threads than cores they need
/// this one.
template <typename Condition>
void wait_for(Condition&& condition) {
  constexpr int kSpins = 2000;
  for (int looks = 0; !condition(); ++looks) {
    if (looks >= kSpins) std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

ThreadGrid thread_grid(const ProductKernel& kernel, std::int64_t m, std::int64_t n, std::int64_t threads) {
  // A lane packed costs as much as about so many multiply-adds for each step of k.
  constexpr std::int64_t kPackRow = 16;
  constexpr std::int64_t kPackColumn = 24;
  ThreadGrid best;
  std::int64_t least = 0;
  for (std::int64_t down = 1; down <= threads; ++down) {
    if (threads % down != 0) continue;
    const ThreadGrid grid{down, threads / down};
    const std::int64_t rows = shared_out(m, grid.down, kernel.rows);
    const std::int64_t columns = shared_out(n, grid.across, kernel.columns);
    const std::int64_t cost = rows * columns + kPackRow * rows + kPackColumn * columns;
    if (down == 1 || cost < least) {
      best = grid;
      least = cost;
    }
  }
  return best;
}

bool BlockedProducts::suit(const ProductShape& shape) const {
  const ThreadGrid grid = thread_grid(*kernel_, shape.m, shape.n, omp_get_max_threads());
  const std::int64_t rows = shape.m / grid.down;
  const std::int64_t columns = shape.n / grid.across;
  return rows * columns >= kernel_->least_reuse * (rows + columns);
}

void BlockedProducts::lay_out(const ProductShape& shape) {
  const auto threads = static_cast<std::int64_t>(cells_.size());
  const ThreadGrid grid = thread_grid(*kernel_, shape.m, shape.n, threads);
  const std::int64_t rows = shared_out(shape.m, grid.down, kernel_->rows);
  const std::int64_t columns = shared_out(shape.n, grid.across, kernel_->columns);
  for (std::int64_t i = 0; i < threads; ++i) {
    Cell& cell = cells_[static_cast<std::size_t>(i)];
    cell.row = i / grid.across * rows;
    cell.column = i % grid.across * columns;
    cell.rows = std::min(rows, shape.m - cell.row);
    cell.columns = std::min(columns, shape.n - cell.column);
    cell.panels_taken.store(Cell::kNoBlock, std::memory_order_relaxed);
    cell.done.store(cell.rows <= 0 || cell.columns <= 0, std::memory_order_relaxed);
  }
}

bool BlockedProducts::take_panel(const Call& call, Cell& cell, float* panel) const {
  const ProductKernel& kernel = *kernel_;
  const std::int64_t at = cell.panels_taken.fetch_add(1, std::memory_order_acq_rel) * kernel.columns;
  if (at >= cell.columns) return false;
  const ProductShape& shape = call.shape;
  const Block& block = cell.block;
  const std::int64_t column = cell.column + at;
  const std::int64_t columns = std::min(kernel.columns, cell.columns - at);
  const bool begins = block.first == 0;
  kernel.pack_panel(call.panel_of(column, columns, block, panel + kernel.columns * kernel.depth), columns, block.depth,
                    panel);
  float* c = call.c + block.row * shape.c_stride + column;
  const float* bias = shape.biased && begins ? call.bias + column : nullptr;
  for (std::int64_t row = 0; row < block.rows; row += kernel.rows) {
    const ProductTile tile{block.depth,
                           cell.strips.data() + row * block.depth,
                           panel,
                           c + row * shape.c_stride,
                           shape.c_stride,
                           bias,
                           shape.accumulate || !begins};
    if (row + kernel.rows <= block.rows && columns == kernel.columns) {
      kernel.multiply_tile(tile);
    } else {
      multiply_partial_tile(kernel, tile, std::min(kernel.rows, block.rows - row), columns);
    }
  }
  return true;
}

void BlockedProducts::multiply_cell(const Call& call, Cell& cell, float* panel) const {
  const std::int64_t k = call.shape.k;
  const std::int64_t depth = shared_out(k, divide_up(k, kernel_->depth), call.stored != nullptr ? kDecoded : 8);
  for (std::int64_t row = 0; row < cell.rows; row += kSliceRows) {
    for (std::int64_t first = 0; first < k; first += depth) {
      cell.block = {cell.row + row, std::min(kSliceRows, cell.rows - row), first, std::min(depth, k - first)};
      kernel_->pack_strips(call.a.part(cell.block.row, first), cell.block.rows, cell.block.depth, cell.strips.data());
      cell.panels_taken.store(0, std::memory_order_release);
      while (take_panel(call, cell, panel)) {
      }
      // Who still helps reads the block, and the next one adds to the same elements.
      wait_for([&] { return cell.helpers.load(std::memory_order_acquire) == 0; });
    }
  }
  cell.done.store(true, std::memory_order_release);
}

void BlockedProducts::help(const Call& call, Cell& cell, float* panel) const {
  wait_for([&] {
    if (cell.done.load(std::memory_order_acquire)) return true;
    if (cell.panels_taken.load(std::memory_order_relaxed) * kernel_->columns >= cell.columns) return false;
    cell.helpers.fetch_add(1, std::memory_order_acq_rel);
    while (take_panel(call, cell, panel)) {
    }
    cell.helpers.fetch_sub(1, std::memory_order_acq_rel);
    return false;
  });
}

void BlockedProducts::reserve(std::size_t threads) {
  if (cells_.size() == threads) return;
  cells_ = std::vector<Cell>(threads);
  panels_.clear();
  for (Cell& cell : cells_) {
    cell.strips = Arena(kSliceRows * kernel_->depth);
    panels_.emplace_back(2 * kernel_->columns * kernel_->depth);
  }
}

void BlockedProducts::run(const Call& call) {
  reserve(static_cast<std::size_t>(omp_get_max_threads()));
  lay_out(call.shape);
  const std::size_t cells = cells_.size();
#pragma omp parallel
  {
    const auto thread = static_cast<std::size_t>(omp_get_thread_num());
    float* panel = panels_[thread].data();
    // Fewer threads may have come than were asked for.
    for (std::size_t own = thread; own < cells; own += static_cast<std::size_t>(omp_get_num_threads())) {
      if (!cells_[own].done.load(std::memory_order_relaxed)) multiply_cell(call, cells_[own], panel);
    }
    for (std::size_t turn = 1; turn < cells; ++turn) help(call, cells_[(thread + turn) % cells], panel);
  }
}

void BlockedProducts::multiply(const ProductShape& shape, const float* a, const float* b, const float* bias, float* c) {
  const Factor columns = shape.transpose_b ? Factor{b, shape.b_stride, 1} : Factor{b, 1, shape.b_stride};
  run({shape, rows_of(shape, a), columns, bias, c});
}

void BlockedProducts::multiply(const ProductShape& shape, const float* a, const weights::StoredMatrix& b,
                               const float* bias, float* c) {
  run({shape, rows_of(shape, a), {}, bias, c, &b});
}

}  // namespace chainrule::model::products
