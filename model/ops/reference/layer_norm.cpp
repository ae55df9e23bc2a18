#include <cmath>
#include <vector>

#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {

void ReferenceOps::layer_norm_forward(const float* x, const float* gain, const float* bias, std::int64_t rows,
                                      std::int64_t width, float epsilon, float* output, float* mean,
                                      float* inverse_deviation) {
  const auto channels = static_cast<double>(width);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    double sum = 0;
    for (std::int64_t c = 0; c < width; ++c) sum += row[c];
    const double row_mean = sum / channels;
    double squares = 0;
    for (std::int64_t c = 0; c < width; ++c) squares += (row[c] - row_mean) * (row[c] - row_mean);
    const double row_inverse = 1.0 / std::sqrt(squares / channels + static_cast<double>(epsilon));
    for (std::int64_t c = 0; c < width; ++c) {
      const double normalized = (row[c] - row_mean) * row_inverse;
      output[r * width + c] = static_cast<float>(normalized * gain[c] + (bias != nullptr ? bias[c] : 0.0F));
    }
    mean[r] = static_cast<float>(row_mean);
    inverse_deviation[r] = static_cast<float>(row_inverse);
  }
}

// With n = (x - mean) * inverse and g = dy * gain, per row:
//   dx = inverse * (g - mean over channels of g - n * mean over channels of (g * n)).
void ReferenceOps::layer_norm_backward(const float* output_gradient, const float* x, const float* gain,
                                       const float* mean, const float* inverse_deviation, std::int64_t rows,
                                       std::int64_t width, float* x_gradient, float* gain_gradient,
                                       float* bias_gradient) {
  const auto channels = static_cast<double>(width);
  std::vector<double> gain_sum(width, 0.0);
  std::vector<double> bias_sum(width, 0.0);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    const float* dy = output_gradient + r * width;
    const double row_mean = mean[r];
    const double row_inverse = inverse_deviation[r];
    double g_sum = 0;
    double gn_sum = 0;
    for (std::int64_t c = 0; c < width; ++c) {
      const double n = (row[c] - row_mean) * row_inverse;
      const double g = static_cast<double>(dy[c]) * gain[c];
      g_sum += g;
      gn_sum += g * n;
      gain_sum[c] += dy[c] * n;
      bias_sum[c] += dy[c];
    }
    for (std::int64_t c = 0; c < width; ++c) {
      const double n = (row[c] - row_mean) * row_inverse;
      const double g = static_cast<double>(dy[c]) * gain[c];
      const double dx = row_inverse * (g - g_sum / channels - n * gn_sum / channels);
      x_gradient[r * width + c] = static_cast<float>(x_gradient[r * width + c] + dx);
    }
  }
  for (std::int64_t c = 0; c < width; ++c) {
    gain_gradient[c] = static_cast<float>(gain_gradient[c] + gain_sum[c]);
    if (bias_gradient != nullptr) bias_gradient[c] = static_cast<float>(bias_gradient[c] + bias_sum[c]);
  }
}

}  // namespace chainrule::model::ops
