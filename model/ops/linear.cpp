#include "model/ops/linear.h"

#include <algorithm>

#include "model/ops/workspace.h"
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

void fast(Workspace& workspace, const LinearForward& op) {
  if (op.rows <= products::kFewRows) {
    products::multiply_few_rows({.rows = op.rows,
                                 .in = op.in,
                                 .out = op.out,
                                 .x = op.x,
                                 .weight = op.weight,
                                 .bias = op.bias,
                                 .output = op.output,
                                 .output_stride = op.output_stride,
                                 .accumulate = op.accumulate});
    return;
  }
  products::ProductShape shape{.m = op.rows, .n = op.out, .k = op.in};
  shape.transpose_b = true;
  shape.a_stride = op.in;
  shape.b_stride = op.in;
  shape.c_stride = op.output_stride;
  shape.biased = op.bias != nullptr;
  shape.accumulate = op.accumulate;
  workspace.multiply(shape, op.x, op.weight, op.bias, op.output);
}

void fast(Workspace& workspace, const LinearBackwardInput& op) {
  products::ProductShape shape{.m = op.rows, .n = op.in, .k = op.out};
  shape.a_stride = op.output_gradient_stride;
  shape.b_stride = op.in;
  shape.c_stride = op.in;
  shape.accumulate = op.accumulate;
  workspace.multiply(shape, op.output_gradient, op.weight, nullptr, op.x_gradient);
}

void fast(Workspace& workspace, const LinearBackwardWeight& op) {
  products::ProductShape shape{.m = op.out, .n = op.in, .k = op.rows};
  shape.transpose_a = true;
  shape.a_stride = op.output_gradient_stride;
  shape.b_stride = op.in;
  shape.c_stride = op.in;
  shape.accumulate = op.accumulate;
  workspace.multiply(shape, op.output_gradient, op.x, nullptr, op.weight_gradient);
  if (op.bias_gradient == nullptr) return;
  constexpr std::int64_t kColumns = 128;
#pragma omp parallel for schedule(static)
  for (std::int64_t column = 0; column < op.out; column += kColumns) {
    add_column_sums(op.output_gradient + column, op.output_gradient_stride, op.rows,
                    std::min(kColumns, op.out - column), op.bias_gradient + column);
  }
}

}  // namespace chainrule::model::ops
