#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/arena.h"
#include "model/ops/batch.h"
#include "model/products/blocked_products.h"
#include "model/products/onednn/products.h"

namespace chainrule::model::ops {

/// What the fast operations keep from one to the next: products that were built once and memory that is not allocated
/// again.
class Workspace {
 public:
  /// kernel: of BlockedProducts, which then do the float32 products that suit them; null: oneDNN does all.
  Workspace(products::Math math, const products::ProductKernel* kernel) : products_(math) {
    if (kernel != nullptr) blocked_.emplace(*kernel);
  }

  void multiply(const products::ProductShape& shape, const float* a, const float* b, const float* bias, float* c);
  /// With a B as a file stores it. Uses shared_memory() where oneDNN does the product.
  void multiply(const products::ProductShape& shape, const float* a, const weights::StoredMatrix& b, const float* bias,
                float* c);

  /// Room for that many elements in thread_memory() of each thread.
  void reserve_per_thread(std::int64_t elements);
  /// Of the calling thread of a parallel region.
  float* thread_memory();

  /// That many elements that all threads share; holds until the next call.
  float* shared_memory(std::int64_t elements);

 private:
  products::onednn::Products products_;
  std::optional<products::BlockedProducts> blocked_;  // instead of products_, where they are faster
  std::vector<Arena> thread_memory_;
  Arena shared_memory_;
};

}  // namespace chainrule::model::ops
