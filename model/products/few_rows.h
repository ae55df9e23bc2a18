#pragma once
#include <cstdint>

namespace chainrule::model::products {

/// Products with at most so many rows are bound by reading the weights rather than by arithmetic.
inline constexpr std::int64_t kFewRows = 16;

/// output = x * weight^T + bias.
struct FewRowsProduct {
  std::int64_t rows = 0;  ///< at most kFewRows
  std::int64_t in = 0;
  std::int64_t out = 0;
  const float* x = nullptr;        ///< [rows, in]
  const float* weight = nullptr;   ///< [out, in]
  const float* bias = nullptr;     ///< [out], may be null
  float* output = nullptr;         ///< [rows, out]
  std::int64_t output_stride = 0;  ///< elements between rows of output
  bool accumulate = false;         ///< adds to output
};

/// Reads each weight once, at the speed of memory. A row's bits depend on no other row, nor on the number of threads.
void multiply_few_rows(const FewRowsProduct& product);

}  // namespace chainrule::model::products
