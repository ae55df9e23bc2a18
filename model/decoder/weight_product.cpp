#include "model/decoder/weight_product.h"

#include "model/ops/stored_linear.h"

namespace chainrule::model::decoder {

void multiply(ops::Ops& ops, const weights::Weights& weights, std::int64_t offset, ops::LinearForward op) {
  if (weights.stored() == nullptr) {
    op.weight = weights.values(offset);
    ops.run(op);
    return;
  }
  std::int64_t column = 0;
  for (const weights::StoredMatrix& rows : weights.stored()->matrix(offset)) {
    ops.run(ops::StoredLinearForward{.rows = op.rows,
                                     .x = op.x,
                                     .weight = &rows,
                                     .bias = op.bias != nullptr ? op.bias + column : nullptr,
                                     .output = op.output + column,
                                     .output_stride = op.output_stride,
                                     .accumulate = op.accumulate});
    column += rows.rows;
  }
}

}  // namespace chainrule::model::decoder
