#include "model/ops/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

CHAINRULE_MULTIVERSION
void forward_row(const float* x, const float* gain, const float* bias, std::int64_t width, float epsilon, float* output,
                 float* mean, float* inverse_deviation) {
  const auto n = static_cast<float>(width);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < width; ++i) sum += x[i];
  const float average = sum / n;
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t i = 0; i < width; ++i) squares += (x[i] - average) * (x[i] - average);
  const float inverse = 1.0F / std::sqrt(squares / n + epsilon);
  if (bias != nullptr) {
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) output[i] = (x[i] - average) * inverse * gain[i] + bias[i];
  } else {
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) output[i] = (x[i] - average) * inverse * gain[i];
  }
  *mean = average;
  *inverse_deviation = inverse;
}

/// With y = output gradient * gain and h = (x - mean) / deviation: dx += (y - mean(y) - h mean(y h)) / deviation.
CHAINRULE_MULTIVERSION
void backward_row(const float* output_gradient, const float* x, const float* gain, float mean, float inverse,
                  std::int64_t width, float* x_gradient) {
  float sum_y = 0;
  float sum_yh = 0;
#pragma omp simd reduction(+ : sum_y, sum_yh)
  for (std::int64_t i = 0; i < width; ++i) {
    const float y = output_gradient[i] * gain[i];
    sum_y += y;
    sum_yh += y * ((x[i] - mean) * inverse);
  }
  const float mean_y = sum_y / static_cast<float>(width);
  const float mean_yh = sum_yh / static_cast<float>(width);
#pragma omp simd
  for (std::int64_t i = 0; i < width; ++i) {
    const float h = (x[i] - mean) * inverse;
    x_gradient[i] += (output_gradient[i] * gain[i] - mean_y - h * mean_yh) * inverse;
  }
}

/// Adds the gradients of `columns` gains and biases over all rows, in row order.
CHAINRULE_MULTIVERSION
void backward_columns(const float* output_gradient, const float* x, const float* mean, const float* inverse,
                      std::int64_t rows, std::int64_t width, std::int64_t columns, float* gain_gradient,
                      float* bias_gradient) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* dy = output_gradient + row * width;
    const float* from = x + row * width;
    const float average = mean[row];
    const float scale = inverse[row];
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i) gain_gradient[i] += dy[i] * ((from[i] - average) * scale);
    if (bias_gradient == nullptr) continue;
#pragma omp simd
    for (std::int64_t i = 0; i < columns; ++i) bias_gradient[i] += dy[i];
  }
}

}  // namespace

void fast(Workspace& /*workspace*/, const LayerNormForward& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) {
    forward_row(op.x + row * op.width, op.gain, op.bias, op.width, op.epsilon, op.output + row * op.width,
                op.mean + row, op.inverse_deviation + row);
  }
}

void fast(Workspace& /*workspace*/, const LayerNormBackward& op) {
  constexpr std::int64_t kColumns = 64;
#pragma omp parallel
  {
#pragma omp for schedule(static) nowait
    for (std::int64_t row = 0; row < op.rows; ++row) {
      backward_row(op.output_gradient + row * op.width, op.x + row * op.width, op.gain, op.mean[row],
                   op.inverse_deviation[row], op.width, op.x_gradient + row * op.width);
    }
#pragma omp for schedule(static)
    for (std::int64_t column = 0; column < op.width; column += kColumns) {
      backward_columns(op.output_gradient + column, op.x + column, op.mean, op.inverse_deviation, op.rows, op.width,
                       std::min(kColumns, op.width - column), op.gain_gradient + column,
                       op.bias_gradient == nullptr ? nullptr : op.bias_gradient + column);
    }
  }
}

}  // namespace chainrule::model::ops
