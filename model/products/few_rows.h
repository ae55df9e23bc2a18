#pragma once
#include <cstdint>

#include "model/weights/stored_matrix.h"

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

/// The same with a weight as a file stores it, not transposed.
struct FewRowsStoredProduct {
  std::int64_t rows = 0;                          ///< at most kFewRows
  const weights::StoredMatrix* weight = nullptr;  ///< [out, in]
  const float* x = nullptr;                       ///< [rows, in]
  const float* bias = nullptr;                    ///< [out], may be null
  float* output = nullptr;                        ///< [rows, out]
  std::int64_t output_stride = 0;                 ///< elements between rows of output
  bool accumulate = false;                        ///< adds to output
  float* scratch = nullptr;                       ///< [few_rows_scratch(in)]
};

/// Reads each weight once, at the speed of memory. A row's bits depend on no other row, nor on the number of threads.
void multiply_few_rows(const FewRowsProduct& product);
/// The bits of the product with the decoded weight.
void multiply_few_rows(const FewRowsStoredProduct& product);
/// Elements in which all threads decode what they are at.
std::int64_t few_rows_scratch(std::int64_t in);

}  // namespace chainrule::model::products
