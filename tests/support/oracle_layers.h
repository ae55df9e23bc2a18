#pragma once
#include <cstdint>
#include <vector>

#include "tests/support/oracle.h"

/// The layers of the float64 decoder. Each backward takes the gradient of the layer's output, adds to the gradients of
/// the layer's parameters, and returns the gradient of its input.
namespace chainrule::tests::oracle {

struct Matrix {
  Matrix(std::int64_t row_count, std::int64_t column_count)
      : rows(row_count), columns(column_count), values(row_count * column_count, 0.0) {}

  double& operator()(std::int64_t r, std::int64_t c) { return values[r * columns + c]; }
  double operator()(std::int64_t r, std::int64_t c) const { return values[r * columns + c]; }

  std::int64_t rows;
  std::int64_t columns;
  std::vector<double> values;
};

/// a + b, of one shape.
Matrix sum(const Matrix& a, const Matrix& b);

/// x weight^T + bias.
Matrix linear(const Matrix& x, const Tensor& weight, const Tensor& bias);
Matrix linear_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& weight, Tensor& weight_gradient,
                       Tensor& bias_gradient);

/// Normalisation of each row to mean 0 and variance 1 (over width), times gain, plus bias.
Matrix layer_norm(const Matrix& x, const Tensor& gain, const Tensor& bias, double epsilon);
Matrix layer_norm_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& gain, double epsilon,
                           Tensor& gain_gradient, Tensor& bias_gradient);

/// The tanh form of GELU.
Matrix gelu(const Matrix& x);
Matrix gelu_backward(const Matrix& output_gradient, const Matrix& x);

/// Causal attention; query_key_value [rows, 3 C], result [rows, C].
Matrix attention(const Matrix& query_key_value, std::int64_t heads);
Matrix attention_backward(const Matrix& output_gradient, const Matrix& query_key_value, std::int64_t heads);

/// Softmax of each row.
Matrix softmax(const Matrix& logits);

}  // namespace chainrule::tests::oracle
