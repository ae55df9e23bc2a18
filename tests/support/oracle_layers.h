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

/// x weight^T + bias; a bias without values is none.
Matrix linear(const Matrix& x, const Tensor& weight, const Tensor& bias);
Matrix linear_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& weight, Tensor& weight_gradient,
                       Tensor& bias_gradient);

/// Normalisation of each row to mean 0 and variance 1 (over width), times gain, plus bias.
Matrix layer_norm(const Matrix& x, const Tensor& gain, const Tensor& bias, double epsilon);
Matrix layer_norm_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& gain, double epsilon,
                           Tensor& gain_gradient, Tensor& bias_gradient);

/// Each row over its root mean square, times gain.
Matrix rms_norm(const Matrix& x, const Tensor& gain, double epsilon);
Matrix rms_norm_backward(const Matrix& output_gradient, const Matrix& x, const Tensor& gain, double epsilon,
                         Tensor& gain_gradient);

/// The tanh form of GELU.
Matrix gelu(const Matrix& x);
Matrix gelu_backward(const Matrix& output_gradient, const Matrix& x);

Matrix relu_squared(const Matrix& x);
Matrix relu_squared_backward(const Matrix& output_gradient, const Matrix& x);

/// silu of the first half of each row times the second half.
Matrix swiglu(const Matrix& x);
Matrix swiglu_backward(const Matrix& output_gradient, const Matrix& x);

/// How the heads of queries, keys and values lie side by side in a row.
struct Heads {
  std::int64_t queries;
  std::int64_t keys;
  std::int64_t width;
  std::int64_t window = 0;  ///< positions that a query meets; 0: all up to its own
  std::int64_t columns() const { return (queries + 2 * keys) * width; }
};

/// RMSNorm of each head of queries and of keys; gain [2 width], the queries' first.
Matrix query_key_norm(const Matrix& query_key_value, const Heads& heads, const Tensor& gain, double epsilon);
Matrix query_key_norm_backward(const Matrix& output_gradient, const Matrix& query_key_value, const Heads& heads,
                               const Tensor& gain, double epsilon, Tensor& gain_gradient);

/// Queries and keys turned by position times theta^(-2 i / width); direction -1 turns back.
Matrix rotary(const Matrix& query_key_value, const Heads& heads, double theta, double direction);

/// Causal attention; query_key_value [rows, heads.columns()], result [rows, queries * width].
Matrix attention(const Matrix& query_key_value, const Heads& heads);
Matrix attention_backward(const Matrix& output_gradient, const Matrix& query_key_value, const Heads& heads);

/// cap * tanh(logits / cap).
Matrix soft_cap(const Matrix& logits, double cap);
Matrix soft_cap_backward(const Matrix& output_gradient, const Matrix& logits, double cap);

/// Softmax of each row.
Matrix softmax(const Matrix& logits);

}  // namespace chainrule::tests::oracle
