#include "model/ops/layer_norm.h"

#include <cmath>
#include <vector>

namespace chainrule::model::ops {

void reference(const LayerNormForward& op) {
  const auto channels = static_cast<double>(op.width);
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const float* row = op.x + r * op.width;
    double sum = 0;
    for (std::int64_t c = 0; c < op.width; ++c) sum += row[c];
    const double row_mean = sum / channels;
    double squares = 0;
    for (std::int64_t c = 0; c < op.width; ++c) squares += (row[c] - row_mean) * (row[c] - row_mean);
    const double row_inverse = 1.0 / std::sqrt(squares / channels + static_cast<double>(op.epsilon));
    for (std::int64_t c = 0; c < op.width; ++c) {
      const double normalized = (row[c] - row_mean) * row_inverse;
      op.output[r * op.width + c] =
          static_cast<float>(normalized * op.gain[c] + (op.bias != nullptr ? op.bias[c] : 0.0F));
    }
    op.mean[r] = static_cast<float>(row_mean);
    op.inverse_deviation[r] = static_cast<float>(row_inverse);
  }
}

// With n = (x - mean) * inverse and g = dy * gain, per row:
//   dx = inverse * (g - mean over channels of g - n * mean over channels of (g * n)).
void reference(const LayerNormBackward& op) {
  const auto channels = static_cast<double>(op.width);
  std::vector<double> gain_sum(op.width, 0.0);
  std::vector<double> bias_sum(op.width, 0.0);
  for (std::int64_t r = 0; r < op.rows; ++r) {
    const float* row = op.x + r * op.width;
    const float* dy = op.output_gradient + r * op.width;
    const double row_mean = op.mean[r];
    const double row_inverse = op.inverse_deviation[r];
    double g_sum = 0;
    double gn_sum = 0;
    for (std::int64_t c = 0; c < op.width; ++c) {
      const double n = (row[c] - row_mean) * row_inverse;
      const double g = static_cast<double>(dy[c]) * op.gain[c];
      g_sum += g;
      gn_sum += g * n;
      gain_sum[c] += dy[c] * n;
      bias_sum[c] += dy[c];
    }
    for (std::int64_t c = 0; c < op.width; ++c) {
      const double n = (row[c] - row_mean) * row_inverse;
      const double g = static_cast<double>(dy[c]) * op.gain[c];
      const double dx = row_inverse * (g - g_sum / channels - n * gn_sum / channels);
      op.x_gradient[r * op.width + c] = static_cast<float>(op.x_gradient[r * op.width + c] + dx);
    }
  }
  for (std::int64_t c = 0; c < op.width; ++c) {
    op.gain_gradient[c] = static_cast<float>(op.gain_gradient[c] + gain_sum[c]);
    if (op.bias_gradient != nullptr) op.bias_gradient[c] = static_cast<float>(op.bias_gradient[c] + bias_sum[c]);
  }
}

}  // namespace chainrule::model::ops
