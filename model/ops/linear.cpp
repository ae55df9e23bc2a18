#include <algorithm>

#include "model/ops/fast_ops.h"
#include "model/products/few_rows.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// sums [columns] += column sums of values [rows, columns], rows added in order.
CHAINRULE_MULTIVERSION
void add_column_sums(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t columns, float* sums) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* from = values + row * stride;
#pragma omp simd
    for (std::int64_t column = 0; column < columns; ++column) sums[column] += from[column];
  }
}

}  // namespace

void FastOps::multiply(const products::ProductShape& shape, const float* a, const float* b, const float* bias,
                       float* c) {
  if (blocked_ && blocked_->suit(shape)) {
    blocked_->multiply(shape, a, b, bias, c);
  } else {
    products_.multiply(shape, a, b, bias, c);
  }
}

void FastOps::linear_forward(const float* x, const float* weight, const float* bias, std::int64_t rows, std::int64_t in,
                             std::int64_t out, float* output, std::int64_t output_stride, bool accumulate) {
  if (rows <= products::kFewRows) {
    products::multiply_few_rows(x, weight, bias, rows, in, out, output, output_stride, accumulate);
    return;
  }
  products::ProductShape shape{.m = rows, .n = out, .k = in};
  shape.transpose_b = true;
  shape.a_stride = in;
  shape.b_stride = in;
  shape.c_stride = output_stride;
  shape.biased = bias != nullptr;
  shape.accumulate = accumulate;
  multiply(shape, x, weight, bias, output);
}

void FastOps::linear_backward_input(const float* output_gradient, std::int64_t output_stride, const float* weight,
                                    std::int64_t rows, std::int64_t in, std::int64_t out, float* x_gradient,
                                    bool accumulate) {
  products::ProductShape shape{.m = rows, .n = in, .k = out};
  shape.a_stride = output_stride;
  shape.b_stride = in;
  shape.c_stride = in;
  shape.accumulate = accumulate;
  multiply(shape, output_gradient, weight, nullptr, x_gradient);
}

void FastOps::linear_backward_weight(const float* output_gradient, std::int64_t output_stride, const float* x,
                                     std::int64_t rows, std::int64_t in, std::int64_t out, float* weight_gradient,
                                     float* bias_gradient, bool accumulate) {
  products::ProductShape shape{.m = out, .n = in, .k = rows};
  shape.transpose_a = true;
  shape.a_stride = output_stride;
  shape.b_stride = in;
  shape.c_stride = in;
  shape.accumulate = accumulate;
  multiply(shape, output_gradient, x, nullptr, weight_gradient);
  if (bias_gradient == nullptr) return;
  constexpr std::int64_t kColumns = 128;
#pragma omp parallel for schedule(static)
  for (std::int64_t column = 0; column < out; column += kColumns) {
    add_column_sums(output_gradient + column, output_stride, rows, std::min(kColumns, out - column),
                    bias_gradient + column);
  }
}

}  // namespace chainrule::model::ops
