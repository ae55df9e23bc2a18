#include "model/ops/stored_linear.h"

#include <algorithm>

#include "model/ops/linear.h"
#include "model/ops/workspace.h"
#include "model/products/few_rows.h"

namespace chainrule::model::ops {
namespace {

products::ProductShape shape_of(const StoredLinearForward& op) {
  products::ProductShape shape{.m = op.rows, .n = op.weight->rows, .k = op.weight->columns};
  shape.transpose_b = !op.weight->transposed;
  shape.a_stride = shape.k;
  shape.b_stride = op.weight->transposed ? shape.n : shape.k;
  shape.c_stride = op.output_stride;
  shape.biased = op.bias != nullptr;
  shape.accumulate = op.accumulate;
  return shape;
}

/// output [tokens, width] += the row of each token's position.
void add_positions(const StoredEmbeddingForward& op) {
  const std::int64_t width = op.token_embedding->columns;
  for (std::size_t at = 0; at < op.tokens.size(); ++at) {
    const float* position = op.position_embedding + op.positions[at] * width;
    float* to = op.output + static_cast<std::int64_t>(at) * width;
    for (std::int64_t i = 0; i < width; ++i) to[i] += position[i];
  }
}

}  // namespace

void fast(Workspace& workspace, const StoredLinearForward& op) {
  const weights::StoredMatrix& weight = *op.weight;
  if (const float* values = weight.in_place(); values != nullptr && !weight.transposed) {
    fast(workspace, LinearForward{.rows = op.rows,
                                  .in = weight.columns,
                                  .out = weight.rows,
                                  .x = op.x,
                                  .weight = values,
                                  .bias = op.bias,
                                  .output = op.output,
                                  .output_stride = op.output_stride,
                                  .accumulate = op.accumulate});
  } else if (values != nullptr) {
    workspace.multiply(shape_of(op), op.x, values, op.bias, op.output);
  } else if (op.rows <= products::kFewRows && !weight.transposed) {
    products::multiply_few_rows({.rows = op.rows,
                                 .weight = op.weight,
                                 .x = op.x,
                                 .bias = op.bias,
                                 .output = op.output,
                                 .output_stride = op.output_stride,
                                 .accumulate = op.accumulate,
                                 .scratch = workspace.shared_memory(products::few_rows_scratch(weight.columns))});
  } else {
    workspace.multiply(shape_of(op), op.x, weight, op.bias, op.output);
  }
}

void fast(Workspace& /*workspace*/, const StoredEmbeddingForward& op) {
  const std::int64_t width = op.token_embedding->columns;
  const auto count = static_cast<std::int64_t>(op.tokens.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t at = 0; at < count; ++at) {
    op.token_embedding->decode_rows(op.tokens[static_cast<std::size_t>(at)], 1, 0, width, op.output + at * width,
                                    width);
  }
  if (op.position_embedding != nullptr) add_positions(op);
}

}  // namespace chainrule::model::ops
