#pragma once
#include <memory>

#include "model/products/shape.h"

namespace chainrule::model::products::onednn {

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

}  // namespace chainrule::model::products::onednn
