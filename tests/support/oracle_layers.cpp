#include "tests/support/oracle_layers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chainrule::tests::oracle {
namespace {

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(const Matrix& x, std::int64_t row, double epsilon) {
  Moments result;
  for (std::int64_t c = 0; c < x.columns; ++c) result.mean += x(row, c) / static_cast<double>(x.columns);
  double variance = 0;
  for (std::int64_t c = 0; c < x.columns; ++c) {
    variance += std::pow(x(row, c) - result.mean, 2) / static_cast<double>(x.columns);
  }
  result.deviation = std::sqrt(variance + epsilon);
  return result;
}

/// Columns [first, first + count) of x.
Matrix slice(const Matrix& x, std::int64_t first, std::int64_t count) {
  Matrix result(x.rows, count);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t c = 0; c < count; ++c) result(r, c) = x(r, first + c);
  }
  return result;
}

void put(const Matrix& part, std::int64_t first, Matrix& x) {
  for (std::int64_t r = 0; r < part.rows; ++r) {
    for (std::int64_t c = 0; c < part.columns; ++c) x(r, first + c) = part(r, c);
  }
}

Matrix transpose(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (std::int64_t c = 0; c < a.columns; ++c) result(c, r) = a(r, c);
  }
  return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result(a.rows, b.columns);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (std::int64_t k = 0; k < a.columns; ++k) {
      for (std::int64_t c = 0; c < b.columns; ++c) result(r, c) += a(r, k) * b(k, c);
    }
  }
  return result;
}

Matrix scaled(Matrix a, double factor) {
  for (double& value : a.values) value *= factor;
  return a;
}

/// Probabilities of one head: softmax of the scaled scores, where later keys have score minus infinity.
Matrix causal_probabilities(const Matrix& query, const Matrix& key) {
  Matrix scores = scaled(product(query, transpose(key)), 1.0 / std::sqrt(static_cast<double>(query.columns)));
  for (std::int64_t q = 0; q < scores.rows; ++q) {
    for (std::int64_t k = q + 1; k < scores.columns; ++k) scores(q, k) = -INFINITY;
  }
  return softmax(scores);
}

double gelu_inner(double x) { return std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3)); }

}  // namespace

Matrix sum(const Matrix& a, const Matrix& b) {
  Matrix result = a;
  for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] += b.values[i];
  return result;
}

Matrix linear(const Matrix& x, const Tensor& weight, const Tensor& bias) {
  Matrix result(x.rows, weight.shape[0]);
  for (std::int64_t r = 0; r < result.rows; ++r) {
    for (std::int64_t o = 0; o < result.columns; ++o) {
      result(r, o) = bias.values[o];
      for (std::int64_t i = 0; i < x.columns; ++i) result(r, o) += x(r, i) * weight.values[o * x.columns + i];
    }
  }
  return result;
}

Matrix linear_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& weight, Tensor& weight_gradient,
                       Tensor& bias_gradient) {
  Matrix x_gradient(x.rows, x.columns);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t o = 0; o < output_gradient.columns; ++o) {
      const double g = output_gradient(r, o);
      bias_gradient.values[o] += g;
      for (std::int64_t i = 0; i < x.columns; ++i) {
        weight_gradient.values[o * x.columns + i] += g * x(r, i);
        x_gradient(r, i) += g * weight.values[o * x.columns + i];
      }
    }
  }
  return x_gradient;
}

Matrix layer_norm(const Matrix& x, const Tensor& gain, const Tensor& bias, double epsilon) {
  Matrix result(x.rows, x.columns);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const Moments m = moments(x, r, epsilon);
    for (std::int64_t c = 0; c < x.columns; ++c) {
      result(r, c) = (x(r, c) - m.mean) / m.deviation * gain.values[c] + bias.values[c];
    }
  }
  return result;
}

// y_i = (x_i - m)/s gain_i + bias_i, so dy_i/dx_j = gain_i/s (delta_ij - 1/C - n_i n_j / C) with n = (x - m)/s.
Matrix layer_norm_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& gain, double epsilon,
                           Tensor& gain_gradient, Tensor& bias_gradient) {
  Matrix x_gradient(x.rows, x.columns);
  const auto channels = static_cast<double>(x.columns);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const Moments m = moments(x, r, epsilon);
    std::vector<double> n(x.columns);
    for (std::int64_t c = 0; c < x.columns; ++c) n[c] = (x(r, c) - m.mean) / m.deviation;
    for (std::int64_t i = 0; i < x.columns; ++i) {
      const double g = output_gradient(r, i);
      gain_gradient.values[i] += g * n[i];
      bias_gradient.values[i] += g;
      for (std::int64_t j = 0; j < x.columns; ++j) {
        const double jacobian = (i == j ? 1.0 : 0.0) - 1.0 / channels - n[i] * n[j] / channels;
        x_gradient(r, j) += g * gain.values[i] / m.deviation * jacobian;
      }
    }
  }
  return x_gradient;
}

Matrix gelu(const Matrix& x) {
  Matrix result = x;
  for (double& v : result.values) v = 0.5 * v * (1.0 + std::tanh(gelu_inner(v)));
  return result;
}

Matrix gelu_backward(const Matrix& output_gradient, const Matrix& x) {
  Matrix result = output_gradient;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const double v = x.values[i];
    const double inner_slope = std::sqrt(2.0 / std::numbers::pi) * (1.0 + 0.134145 * v * v);
    const double hyperbolic_secant = 1.0 / std::cosh(gelu_inner(v));
    result.values[i] *=
        0.5 * (1.0 + std::tanh(gelu_inner(v))) + 0.5 * v * hyperbolic_secant * hyperbolic_secant * inner_slope;
  }
  return result;
}

Matrix attention(const Matrix& query_key_value, std::int64_t heads) {
  const std::int64_t width = query_key_value.columns / 3;
  const std::int64_t d = width / heads;
  Matrix result(query_key_value.rows, width);
  for (std::int64_t h = 0; h < heads; ++h) {
    const Matrix query = slice(query_key_value, h * d, d);
    const Matrix key = slice(query_key_value, width + h * d, d);
    const Matrix value = slice(query_key_value, 2 * width + h * d, d);
    put(product(causal_probabilities(query, key), value), h * d, result);
  }
  return result;
}

Matrix attention_backward(const Matrix& output_gradient, const Matrix& query_key_value, std::int64_t heads) {
  const std::int64_t width = query_key_value.columns / 3;
  const std::int64_t d = width / heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  Matrix result(query_key_value.rows, query_key_value.columns);
  for (std::int64_t h = 0; h < heads; ++h) {
    const Matrix query = slice(query_key_value, h * d, d);
    const Matrix key = slice(query_key_value, width + h * d, d);
    const Matrix value = slice(query_key_value, 2 * width + h * d, d);
    const Matrix head_gradient = slice(output_gradient, h * d, d);
    const Matrix probabilities = causal_probabilities(query, key);
    const Matrix probabilities_gradient = product(head_gradient, transpose(value));
    // Jacobian of softmax: dp_i/ds_j = p_i (delta_ij - p_j).
    Matrix scores_gradient(probabilities.rows, probabilities.columns);
    for (std::int64_t q = 0; q < probabilities.rows; ++q) {
      double expected = 0;
      for (std::int64_t k = 0; k <= q; ++k) expected += probabilities(q, k) * probabilities_gradient(q, k);
      for (std::int64_t k = 0; k <= q; ++k) {
        scores_gradient(q, k) = probabilities(q, k) * (probabilities_gradient(q, k) - expected);
      }
    }
    put(scaled(product(scores_gradient, key), scale), h * d, result);
    put(scaled(product(transpose(scores_gradient), query), scale), width + h * d, result);
    put(product(transpose(probabilities), head_gradient), 2 * width + h * d, result);
  }
  return result;
}

Matrix softmax(const Matrix& logits) {
  Matrix result = logits;
  for (std::int64_t r = 0; r < logits.rows; ++r) {
    double largest = -INFINITY;
    for (std::int64_t c = 0; c < logits.columns; ++c) largest = std::max(largest, logits(r, c));
    double total = 0;
    for (std::int64_t c = 0; c < logits.columns; ++c) total += result(r, c) = std::exp(logits(r, c) - largest);
    for (std::int64_t c = 0; c < logits.columns; ++c) result(r, c) /= total;
  }
  return result;
}

}  // namespace chainrule::tests::oracle
