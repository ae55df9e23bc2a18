#include "model/ops/rms_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chainrule::model::ops {
namespace {

/// One row; returns the inverse root mean square.
float normalise(const float* x, const float* gain, std::int64_t width, float epsilon, float* output) {
  double squares = 0;
  for (std::int64_t c = 0; c < width; ++c) squares += static_cast<double>(x[c]) * x[c];
  const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(width) + static_cast<double>(epsilon));
  for (std::int64_t c = 0; c < width; ++c) output[c] = static_cast<float>(x[c] * inverse * gain[c]);
  return static_cast<float>(inverse);
}

/// With n = x * inverse and g = dy * gain: dx = inverse * (g - n * mean over channels of (g * n)); gains' sums += dy n.
std::vector<double> x_gradient_of(const float* dy, const float* x, const float* gain, double inverse,
                                  std::int64_t width, double* gain_sums) {
  double gn_sum = 0;
  for (std::int64_t c = 0; c < width; ++c) {
    const double n = x[c] * inverse;
    gn_sum += static_cast<double>(dy[c]) * gain[c] * n;
    gain_sums[c] += dy[c] * n;
  }
  std::vector<double> gradient(width);
  for (std::int64_t c = 0; c < width; ++c) {
    const double g = static_cast<double>(dy[c]) * gain[c];
    gradient[c] = inverse * (g - x[c] * inverse * gn_sum / static_cast<double>(width));
  }
  return gradient;
}

void add(const std::vector<double>& sums, float* to) {
  for (std::size_t c = 0; c < sums.size(); ++c) to[c] = static_cast<float>(to[c] + sums[c]);
}

}  // namespace

void reference(const RmsNormForward& op) {
  for (std::int64_t r = 0; r < op.rows; ++r) {
    op.inverse_root_mean_square[r] =
        normalise(op.x + r * op.width, op.gain, op.width, op.epsilon, op.output + r * op.width);
  }
}

void reference(const RmsNormBackward& op) {
  std::vector<double> gain_sums(op.width, 0.0);
  for (std::int64_t r = 0; r < op.rows; ++r) {
    add(x_gradient_of(op.output_gradient + r * op.width, op.x + r * op.width, op.gain, op.inverse_root_mean_square[r],
                      op.width, gain_sums.data()),
        op.x_gradient + r * op.width);
  }
  add(gain_sums, op.gain_gradient);
}

void reference(const QueryKeyNormForward& op) {
  const std::int64_t heads = op.shape.heads + op.shape.key_value_heads;
  const std::int64_t d = op.shape.head_width;
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const float* from = op.query_key_value + r * op.shape.row_width();
    float* to = op.output + r * op.shape.row_width();
    for (std::int64_t h = 0; h < heads; ++h) {
      const float* gain = h < op.shape.heads ? op.gain : op.gain + d;
      op.inverse_root_mean_square[r * heads + h] = normalise(from + h * d, gain, d, op.epsilon, to + h * d);
    }
    std::copy(from + heads * d, from + op.shape.row_width(), to + heads * d);
  }
}

void reference(const QueryKeyNormBackward& op) {
  const std::int64_t heads = op.shape.heads + op.shape.key_value_heads;
  const std::int64_t d = op.shape.head_width;
  std::vector<double> gain_sums(2 * d, 0.0);
  for (std::int64_t r = 0; r < op.rows; ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const std::int64_t kind = h < op.shape.heads ? 0 : d;
      const std::int64_t at = r * op.shape.row_width() + h * d;
      const std::vector<double> gradient =
          x_gradient_of(op.gradient + at, op.query_key_value + at, op.gain + kind,
                        op.inverse_root_mean_square[r * heads + h], d, gain_sums.data() + kind);
      for (std::int64_t c = 0; c < d; ++c) op.gradient[at + c] = static_cast<float>(gradient[c]);
    }
  }
  add(gain_sums, op.gain_gradient);
}

}  // namespace chainrule::model::ops
