#include "model/ops/stored_linear.h"

#include <vector>

#include "model/ops/embedding.h"
#include "model/ops/linear.h"

namespace chainrule::model::ops {
namespace {

/// All of a matrix, [rows, columns], element by element.
std::vector<float> values_of(const weights::StoredMatrix& matrix) {
  std::vector<float> values(matrix.rows * matrix.columns);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      float* to = &values[row * matrix.columns + column];
      if (matrix.transposed) {
        const std::byte* from = matrix.data + column * weights::encoded_bytes(matrix.encoding, matrix.rows);
        weights::decode_reference(matrix.encoding, from, row, 1, to);
        continue;
      }
      // In a head of halves that alternate, the row of channel i of half s lies at 2 i + s.
      std::int64_t stored = row;
      if (matrix.alternating != 0) {
        const std::int64_t half = matrix.alternating / 2;
        const std::int64_t head = row / matrix.alternating;
        const std::int64_t s = row % matrix.alternating / half;
        const std::int64_t i = row % half;
        stored = head * matrix.alternating + 2 * i + s;
      }
      weights::decode_reference(matrix.encoding,
                                matrix.data + stored * weights::encoded_bytes(matrix.encoding, matrix.columns), column,
                                1, to);
    }
  }
  return values;
}

}  // namespace

void reference(const StoredLinearForward& op) {
  const std::vector<float> weight = values_of(*op.weight);
  reference(LinearForward{.rows = op.rows,
                          .in = op.weight->columns,
                          .out = op.weight->rows,
                          .x = op.x,
                          .weight = weight.data(),
                          .bias = op.bias,
                          .output = op.output,
                          .output_stride = op.output_stride,
                          .accumulate = op.accumulate});
}

void reference(const StoredEmbeddingForward& op) {
  const std::vector<float> table = values_of(*op.token_embedding);
  std::vector<StepRow> rows;
  for (std::size_t at = 0; at < op.tokens.size(); ++at) {
    rows.push_back({op.tokens[at], 0, op.position_embedding != nullptr ? op.positions[at] : 0});
  }
  reference(EmbeddingStep{.rows = rows,
                          .width = op.token_embedding->columns,
                          .token_embedding = table.data(),
                          .position_embedding = op.position_embedding,
                          .output = op.output});
}

}  // namespace chainrule::model::ops
