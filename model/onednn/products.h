#pragma once
#include <cstdint>
#include <memory>

#include "model/ops/ops.h"

namespace chainrule::model::onednn {

/// The shape and layout of a product C [m,n] (+)= op(A) op(B) (+ bias [n] on each row). A is [m,k] row-major with
/// row stride a_stride or, transposed, [k,m]; B is [k,n] or, transposed, [n,k]. Strides are in elements.
struct ProductShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool transpose_a = false;
  bool transpose_b = false;
  std::int64_t a_stride = 0;
  std::int64_t b_stride = 0;
  std::int64_t c_stride = 0;
  bool biased = false;
  bool accumulate = false;
  auto operator<=>(const ProductShape&) const = default;
};

/// Large products on all OpenMP threads, each through a oneDNN primitive built at its first use and kept. A shape
/// gives the same bits in every process with the same number of threads. Math::bf16 rounds both factors to the nearest
/// bfloat16 where the processor has products of these, and is float32 elsewhere. Not for use by two threads at once.
class Products {
 public:
  explicit Products(Math math);
  ~Products();
  void multiply(const ProductShape& shape, const float* a, const float* b, const float* bias, float* c);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether products with this math round their factors here: bf16 does where the processor has bfloat16 products.
bool rounds_factors(Math math);

}  // namespace chainrule::model::onednn
