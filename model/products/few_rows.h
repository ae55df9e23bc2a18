#pragma once
#include <cstdint>

namespace chainrule::model::products {

/// Products with at most so many rows are bound by reading the weights rather than by arithmetic.
inline constexpr std::int64_t kFewRows = 16;

/// output [rows,out] (+)= x [rows,in] * weight [out,in]^T + bias [out] (may be null), rows at most kFewRows: reads each
/// weight once, at the speed of memory. A row's bits depend on no other row, nor on the number of threads.
void multiply_few_rows(const float* x, const float* weight, const float* bias, std::int64_t rows, std::int64_t in,
                       std::int64_t out, float* output, std::int64_t output_stride, bool accumulate);

}  // namespace chainrule::model::products
