#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/arena.h"
#include "model/products/product_kernel.h"
#include "model/products/shape.h"
#include "model/weights/stored_matrix.h"

namespace chainrule::model::products {

/// How many threads share the rows of a product and how many its columns.
struct ThreadGrid {
  std::int64_t down = 1;
  std::int64_t across = 1;
};
/// The grid of `threads` threads whose busiest one has least to multiply and to pack.
ThreadGrid thread_grid(const ProductKernel& kernel, std::int64_t m, std::int64_t n, std::int64_t threads);

/// Large float32 products on all OpenMP threads, each with a rectangle of the result of its own and a hand for others
/// when it is done; none waits for another before (Goto, van de Geijn 2008 for the order of packing). Sums over k run
/// in blocks of at most the kernel's depth, each one chain of multiply-adds, so that an element's bits depend on its
/// row of A, its column of B and nothing else: not on the threads, nor on how many rows are multiplied together. Not
/// for use by two threads at once.
class BlockedProducts {
 public:
  explicit BlockedProducts(const ProductKernel& kernel) : kernel_(&kernel) {}

  /// Whether this product reuses what it packs often enough, on as many threads as there are, to be faster than
  /// oneDNN's.
  bool suit(const ProductShape& shape) const;

  /// As onednn::Products; bias [n] is read where shape.biased.
  void multiply(const ProductShape& shape, const float* a, const float* b, const float* bias, float* c);
  /// With a B as a file stores it, [n, k] or, transposed, [k, n] as shape says: each panel is decoded before it is
  /// packed.
  void multiply(const ProductShape& shape, const float* a, const weights::StoredMatrix& b, const float* bias, float* c);

 private:
  struct Call;
  /// What of a cell is multiplied at a time: its rows of A are packed.
  struct Block {
    std::int64_t row, rows;     // of the result
    std::int64_t first, depth;  // of k
  };
  /// A thread's rectangle of the result. Others may take panels of columns of the block it is at.
  struct alignas(64) Cell {
    static constexpr std::int64_t kNoBlock = std::int64_t{1} << 32;  // more than there are panels

    std::atomic<std::int64_t> panels_taken;  // of the block, by whomever
    std::atomic<std::int64_t> helpers = 0;   // others that may be reading the block
    std::atomic<bool> done;
    std::int64_t row, rows, column, columns;
    Block block;   // changed by the owner while nobody helps
    Arena strips;  // packed rows of A
  };
  void run(const Call& call);
  void reserve(std::size_t threads);
  void lay_out(const ProductShape& shape);
  /// Packs and multiplies a panel of the cell's block; false when all are taken.
  bool take_panel(const Call& call, Cell& cell, float* panel) const;
  /// All of the cell, block by block.
  void multiply_cell(const Call& call, Cell& cell, float* panel) const;
  /// Takes panels of another thread's cell until that is done.
  void help(const Call& call, Cell& cell, float* panel) const;

  const ProductKernel* kernel_;
  std::vector<Cell> cells_;    // one a thread
  std::vector<Arena> panels_;  // of each thread: a packed panel of B, and one that is decoded
};

}  // namespace chainrule::model::products
