#pragma once
#include <compare>
#include <cstdint>

namespace chainrule::model::products {

/// How the factors of products with weights are rounded. bf16: to the nearest bfloat16 where the processor has products
/// of these (AMX, AVX512_BF16), sums stay float32; elsewhere not at all.
enum class Math { float32, bf16 };

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

}  // namespace chainrule::model::products
