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

double root_mean_square(const Matrix& x, std::int64_t row, double epsilon) {
  double squares = 0;
  for (std::int64_t c = 0; c < x.columns; ++c) squares += std::pow(x(row, c), 2) / static_cast<double>(x.columns);
  return std::sqrt(squares + epsilon);
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

void add(const Matrix& part, std::int64_t first, Matrix& x) {
  for (std::int64_t r = 0; r < part.rows; ++r) {
    for (std::int64_t c = 0; c < part.columns; ++c) x(r, first + c) += part(r, c);
  }
}

/// The gain of head h of queries and keys.
Tensor gain_of(const Tensor& gain, const Heads& heads, std::int64_t h) {
  const auto first = gain.values.begin() + (h < heads.queries ? 0 : heads.width);
  return {{heads.width}, {first, first + heads.width}};
}

/// Query head h with the keys and values that its group shares.
struct HeadOf {
  HeadOf(const Matrix& query_key_value, const Heads& heads, std::int64_t h)
      : query_column(h * heads.width),
        key_column((heads.queries + h * heads.keys / heads.queries) * heads.width),
        value_column(key_column + heads.keys * heads.width),
        query(slice(query_key_value, query_column, heads.width)),
        key(slice(query_key_value, key_column, heads.width)),
        value(slice(query_key_value, value_column, heads.width)) {}

  std::int64_t query_column;
  std::int64_t key_column;
  std::int64_t value_column;
  Matrix query;
  Matrix key;
  Matrix value;
};

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

/// Probabilities of one head: softmax of the scaled scores, where keys that a query does not meet have score minus
/// infinity.
Matrix causal_probabilities(const Matrix& query, const Matrix& key, std::int64_t window) {
  Matrix scores = scaled(product(query, transpose(key)), 1.0 / std::sqrt(static_cast<double>(query.columns)));
  for (std::int64_t q = 0; q < scores.rows; ++q) {
    for (std::int64_t k = 0; k < scores.columns; ++k) {
      if (k > q || (window != 0 && q - k >= window)) scores(q, k) = -INFINITY;
    }
  }
  return softmax(scores);
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

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
      if (!bias.values.empty()) result(r, o) = bias.values[o];
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
      if (!bias_gradient.values.empty()) bias_gradient.values[o] += g;
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
      result(r, c) = (x(r, c) - m.mean) / m.deviation * gain.values[c] + (bias.values.empty() ? 0.0 : bias.values[c]);
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
      if (!bias_gradient.values.empty()) bias_gradient.values[i] += g;
      for (std::int64_t j = 0; j < x.columns; ++j) {
        const double jacobian = (i == j ? 1.0 : 0.0) - 1.0 / channels - n[i] * n[j] / channels;
        x_gradient(r, j) += g * gain.values[i] / m.deviation * jacobian;
      }
    }
  }
  return x_gradient;
}

Matrix rms_norm(const Matrix& x, const Tensor& gain, double epsilon) {
  Matrix result(x.rows, x.columns);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const double root = root_mean_square(x, r, epsilon);
    for (std::int64_t c = 0; c < x.columns; ++c) result(r, c) = x(r, c) / root * gain.values[c];
  }
  return result;
}

// y_i = x_i / s gain_i with s^2 = mean(x^2) + epsilon, so dy_i/dx_j = gain_i/s (delta_ij - x_i x_j / (C s^2)).
Matrix rms_norm_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& gain, double epsilon,
                         Tensor& gain_gradient) {
  Matrix x_gradient(x.rows, x.columns);
  const auto channels = static_cast<double>(x.columns);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const double root = root_mean_square(x, r, epsilon);
    for (std::int64_t i = 0; i < x.columns; ++i) {
      const double g = output_gradient(r, i);
      gain_gradient.values[i] += g * x(r, i) / root;
      for (std::int64_t j = 0; j < x.columns; ++j) {
        const double jacobian = (i == j ? 1.0 : 0.0) - x(r, i) * x(r, j) / (channels * root * root);
        x_gradient(r, j) += g * gain.values[i] / root * jacobian;
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

Matrix relu_squared(const Matrix& x) {
  Matrix result = x;
  for (double& v : result.values) v = v > 0 ? v * v : 0.0;
  return result;
}

Matrix relu_squared_backward(const Matrix& output_gradient, const Matrix& x) {
  Matrix result = output_gradient;
  for (std::size_t i = 0; i < x.values.size(); ++i) result.values[i] *= x.values[i] > 0 ? 2.0 * x.values[i] : 0.0;
  return result;
}

Matrix swiglu(const Matrix& x) {
  Matrix result(x.rows, x.columns / 2);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t c = 0; c < result.columns; ++c) {
      result(r, c) = x(r, c) * sigmoid(x(r, c)) * x(r, result.columns + c);
    }
  }
  return result;
}

Matrix swiglu_backward(const Matrix& output_gradient, const Matrix& x) {
  Matrix result(x.rows, x.columns);
  const std::int64_t half = x.columns / 2;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t c = 0; c < half; ++c) {
      const double gate = x(r, c);
      const double s = sigmoid(gate);
      result(r, c) = output_gradient(r, c) * x(r, half + c) * (s + gate * s * (1.0 - s));
      result(r, half + c) = output_gradient(r, c) * gate * s;
    }
  }
  return result;
}

Matrix query_key_norm(const Matrix& query_key_value, const Heads& heads, const Tensor& gain, double epsilon) {
  Matrix result = query_key_value;
  for (std::int64_t h = 0; h < heads.queries + heads.keys; ++h) {
    const std::int64_t at = h * heads.width;
    put(rms_norm(slice(query_key_value, at, heads.width), gain_of(gain, heads, h), epsilon), at, result);
  }
  return result;
}

Matrix query_key_norm_backward(const Matrix& output_gradient, const Matrix& query_key_value, const Heads& heads,
                               const Tensor& gain, double epsilon, Tensor& gain_gradient) {
  Matrix result = output_gradient;
  for (std::int64_t h = 0; h < heads.queries + heads.keys; ++h) {
    const std::int64_t at = h * heads.width;
    Tensor of_head{{heads.width}, std::vector<double>(heads.width, 0.0)};
    put(rms_norm_backward(slice(output_gradient, at, heads.width), slice(query_key_value, at, heads.width),
                          gain_of(gain, heads, h), epsilon, of_head),
        at, result);
    const std::int64_t first = h < heads.queries ? 0 : heads.width;
    for (std::int64_t c = 0; c < heads.width; ++c) gain_gradient.values[first + c] += of_head.values[c];
  }
  return result;
}

Matrix rotary(const Matrix& query_key_value, const Heads& heads, double theta, double direction) {
  Matrix result = query_key_value;
  const std::int64_t half = heads.width / 2;
  for (std::int64_t r = 0; r < result.rows; ++r) {
    for (std::int64_t h = 0; h < heads.queries + heads.keys; ++h) {
      for (std::int64_t i = 0; i < half; ++i) {
        const double angle = direction * static_cast<double>(r) *
                             std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(heads.width));
        const double a = query_key_value(r, h * heads.width + i);
        const double b = query_key_value(r, h * heads.width + half + i);
        result(r, h * heads.width + i) = a * std::cos(angle) - b * std::sin(angle);
        result(r, h * heads.width + half + i) = b * std::cos(angle) + a * std::sin(angle);
      }
    }
  }
  return result;
}

Matrix attention(const Matrix& query_key_value, const Heads& heads) {
  Matrix result(query_key_value.rows, heads.queries * heads.width);
  for (std::int64_t h = 0; h < heads.queries; ++h) {
    const HeadOf of(query_key_value, heads, h);
    put(product(causal_probabilities(of.query, of.key, heads.window), of.value), h * heads.width, result);
  }
  return result;
}

Matrix attention_backward(const Matrix& output_gradient, const Matrix& query_key_value, const Heads& heads) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(heads.width));
  Matrix result(query_key_value.rows, query_key_value.columns);
  for (std::int64_t h = 0; h < heads.queries; ++h) {
    const HeadOf of(query_key_value, heads, h);
    const Matrix head_gradient = slice(output_gradient, h * heads.width, heads.width);
    const Matrix probabilities = causal_probabilities(of.query, of.key, heads.window);
    const Matrix probabilities_gradient = product(head_gradient, transpose(of.value));
    // Jacobian of softmax: dp_i/ds_j = p_i (delta_ij - p_j).
    Matrix scores_gradient(probabilities.rows, probabilities.columns);
    for (std::int64_t q = 0; q < probabilities.rows; ++q) {
      double expected = 0;
      for (std::int64_t k = 0; k <= q; ++k) expected += probabilities(q, k) * probabilities_gradient(q, k);
      for (std::int64_t k = 0; k <= q; ++k) {
        scores_gradient(q, k) = probabilities(q, k) * (probabilities_gradient(q, k) - expected);
      }
    }
    add(scaled(product(scores_gradient, of.key), scale), of.query_column, result);
    add(scaled(product(transpose(scores_gradient), of.query), scale), of.key_column, result);
    add(product(transpose(probabilities), head_gradient), of.value_column, result);
  }
  return result;
}

Matrix soft_cap(const Matrix& logits, double cap) {
  Matrix result = logits;
  for (double& v : result.values) v = cap * std::tanh(v / cap);
  return result;
}

Matrix soft_cap_backward(const Matrix& output_gradient, const Matrix& logits, double cap) {
  Matrix result = output_gradient;
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    result.values[i] /= std::pow(std::cosh(logits.values[i] / cap), 2);
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
