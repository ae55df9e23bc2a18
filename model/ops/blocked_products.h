#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/arena.h"
#include "model/onednn/products.h"

namespace chainrule::model {

/// How many threads share the rows of a product and how many its columns.
struct ThreadGrid {
  std::int64_t down = 1;
  std::int64_t across = 1;
};
/// The grid of `threads` threads whose busiest one has least to multiply and to pack.
ThreadGrid thread_grid(std::int64_t m, std::int64_t n, std::int64_t threads);

/// Large float32 products on all OpenMP threads, each with a rectangle of the result of its own and a hand for others
/// when it is done (Goto, van de Geijn 2008 for the order of packing). Sums over k run in blocks of at most 512, each
/// one chain of multiply-adds, so that an element's bits depend on its row of A, its column of B and nothing else: not
/// on the threads, nor on how many rows are multiplied together. Not for use by two threads at once.
class BlockedProducts {
 public:
  /// Whether this processor has what they are written for and nothing wider: AVX2 with fused multiply-add, but not
  /// AVX-512, for which oneDNN has kernels twice as wide.
  static bool fit_this_processor();

  /// As onednn::Products; bias [n] is read where shape.biased.
  void multiply(const onednn::ProductShape& shape, const float* a, const float* b, const float* bias, float* c);

 private:
  struct Call;
  struct Block;
  struct alignas(64) PanelsTaken {
    std::atomic<std::int64_t> count;
  };
  void reserve(std::size_t threads);
  /// What one thread of a team does; all of the team come to its barriers.
  void multiply_share(const Call& call, const ThreadGrid& grid, std::int64_t thread);
  /// Packs the thread's part of the rows of A that it and those beside it in the grid share.
  void pack_rows(const Call& call, const ThreadGrid& grid, std::int64_t thread, const Block& block);
  /// Multiplies panels of B that are left in another thread's cell, or in its own.
  void take_panels(const Call& call, const ThreadGrid& grid, std::int64_t thread, std::int64_t from,
                   const Block& block);
  float* strips_of(const ThreadGrid& grid, std::int64_t thread);

  std::vector<Arena> memory_;              // of each thread: a slice of A, packed, then a panel of B
  std::vector<PanelsTaken> panels_taken_;  // of each thread's columns, by whomever
};

}  // namespace chainrule::model
