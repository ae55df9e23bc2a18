#include "model/ops/rms_norm.h"

#include <algorithm>
#include <cmath>

#include "model/simd/lanes.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

CHAINRULE_MULTIVERSION
float forward_row(const float* x, const float* gain, std::int64_t width, float epsilon, float* output) {
  const float squares = simd::sum_in_lanes(width, [x](std::int64_t i) { return x[i] * x[i]; });
  const float inverse = 1.0F / std::sqrt(squares / static_cast<float>(width) + epsilon);
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) output[i] = x[i] * inverse * gain[i];
  return inverse;
}

/// With y = output gradient * gain and h = x * inverse, dx = (y - h mean(y h)) * inverse. Adds to x_gradient, or
/// (replace) writes it: it may then be output_gradient.
CHAINRULE_MULTIVERSION
void backward_row(const float* output_gradient, const float* x, const float* gain, float inverse, std::int64_t width,
                  bool replace, float* x_gradient) {
  const float sum =
      simd::sum_in_lanes(width, [=](std::int64_t i) { return output_gradient[i] * gain[i] * (x[i] * inverse); });
  const float mean = sum / static_cast<float>(width);
  const float kept = replace ? 0.0F : 1.0F;
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float before = kept == 0.0F ? 0.0F : x_gradient[i];
    x_gradient[i] = before + (output_gradient[i] * gain[i] - x[i] * inverse * mean) * inverse;
  }
}

/// Adds the gradients of `columns` gains over rows in order; the rows of all but inverse are stride elements apart.
CHAINRULE_MULTIVERSION
void backward_columns(const float* output_gradient, const float* x, std::int64_t stride, const float* inverse,
                      std::int64_t inverse_stride, std::int64_t rows, std::int64_t columns, float* gain_gradient) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* dy = output_gradient + row * stride;
    const float* from = x + row * stride;
    const float scale = inverse[row * inverse_stride];
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i) gain_gradient[i] += dy[i] * (from[i] * scale);
  }
}

/// The gain of a head of a row: those of queries come first.
const float* gain_of(const float* gain, const shape::AttentionShape& shape, std::int64_t head) {
  return head < shape.heads ? gain : gain + shape.head_width;
}

}  // namespace

void fast(Workspace& /*workspace*/, const RmsNormForward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    op.inverse_root_mean_square[row] =
        forward_row(op.x + row * op.width, op.gain, op.width, op.epsilon, op.output + row * op.width);
  }
}

void fast(Workspace& /*workspace*/, const RmsNormBackward& op) {
  constexpr std::int64_t kColumns = 64;
#pragma omp parallel
  {
#pragma omp for schedule(static) nowait
    for (std::int64_t row = 0; row < op.rows; ++row) {
      backward_row(op.output_gradient + row * op.width, op.x + row * op.width, op.gain,
                   op.inverse_root_mean_square[row], op.width, false, op.x_gradient + row * op.width);
    }
#pragma omp for schedule(static)
    for (std::int64_t column = 0; column < op.width; column += kColumns) {
      backward_columns(op.output_gradient + column, op.x + column, op.width, op.inverse_root_mean_square, 1, op.rows,
                       std::min(kColumns, op.width - column), op.gain_gradient + column);
    }
  }
}

void fast(Workspace& /*workspace*/, const QueryKeyNormForward& op) {
  const std::int64_t heads = op.shape.heads + op.shape.key_value_heads;
  const std::int64_t width = op.shape.head_width;
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    const float* from = op.query_key_value + row * op.shape.row_width();
    float* to = op.output + row * op.shape.row_width();
    for (std::int64_t head = 0; head < heads; ++head) {
      op.inverse_root_mean_square[row * heads + head] =
          forward_row(from + head * width, gain_of(op.gain, op.shape, head), width, op.epsilon, to + head * width);
    }
    std::copy_n(from + heads * width, op.shape.key_value_width(), to + heads * width);
  }
}

void fast(Workspace& /*workspace*/, const QueryKeyNormBackward& op) {
  const std::int64_t heads = op.shape.heads + op.shape.key_value_heads;
  const std::int64_t width = op.shape.head_width;
  const std::int64_t stride = op.shape.row_width();
#pragma omp parallel
  {
    // Gains first: their gradients are made of what the rows then replace. Queries and keys have one each.
#pragma omp for schedule(static)
    for (std::int64_t kind = 0; kind < 2; ++kind) {
      const std::int64_t begin = kind == 0 ? 0 : op.shape.heads;
      const std::int64_t end = kind == 0 ? op.shape.heads : heads;
      for (std::int64_t head = begin; head < end; ++head) {
        backward_columns(op.gradient + head * width, op.query_key_value + head * width, stride,
                         op.inverse_root_mean_square + head, heads, op.rows, width, op.gain_gradient + kind * width);
      }
    }
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < op.rows; ++row) {
      for (std::int64_t head = 0; head < heads; ++head) {
        float* gradient = op.gradient + row * stride + head * width;
        backward_row(gradient, op.query_key_value + row * stride + head * width, gain_of(op.gain, op.shape, head),
                     op.inverse_root_mean_square[row * heads + head], width, true, gradient);
      }
    }
  }
}

}  // namespace chainrule::model::ops
