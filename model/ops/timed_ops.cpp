#include "model/ops/timed_ops.h"

#include <chrono>

namespace chainrule::model::ops {
namespace {

/// Adds its own lifetime to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count(); }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

std::string_view name_of(OpKind kind) {
  switch (kind) {
    case OpKind::embedding: return "embedding";
    case OpKind::normalization: return "normalization";
    case OpKind::linear_forward: return "linear, forward";
    case OpKind::linear_backward_input: return "linear, gradient of input";
    case OpKind::linear_backward_weight: return "linear, gradient of weight";
    case OpKind::activation: return "activation";
    case OpKind::attention_forward: return "attention, forward";
    case OpKind::attention_backward: return "attention, backward";
    case OpKind::attention_step: return "attention, one step";
    case OpKind::cross_entropy: return "cross-entropy";
  }
  return "";
}

void TimedOps::embedding_forward(const Batch& batch, const float* token_embedding, const float* position_embedding,
                                 std::int64_t width, float* output) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::embedding)]);
  inner_.embedding_forward(batch, token_embedding, position_embedding, width, output);
}

void TimedOps::embedding_backward(const Batch& batch, const float* gradient, std::int64_t width, float* token_gradient,
                                  float* position_gradient) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::embedding)]);
  inner_.embedding_backward(batch, gradient, width, token_gradient, position_gradient);
}

void TimedOps::layer_norm_forward(const float* x, const float* gain, const float* bias, std::int64_t rows,
                                  std::int64_t width, float epsilon, float* output, float* mean,
                                  float* inverse_deviation) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::normalization)]);
  inner_.layer_norm_forward(x, gain, bias, rows, width, epsilon, output, mean, inverse_deviation);
}

void TimedOps::layer_norm_backward(const float* output_gradient, const float* x, const float* gain, const float* mean,
                                   const float* inverse_deviation, std::int64_t rows, std::int64_t width,
                                   float* x_gradient, float* gain_gradient, float* bias_gradient) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::normalization)]);
  inner_.layer_norm_backward(output_gradient, x, gain, mean, inverse_deviation, rows, width, x_gradient, gain_gradient,
                             bias_gradient);
}

void TimedOps::linear_forward(const float* x, const float* weight, const float* bias, std::int64_t rows,
                              std::int64_t in, std::int64_t out, float* output, std::int64_t output_stride,
                              bool accumulate) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::linear_forward)]);
  inner_.linear_forward(x, weight, bias, rows, in, out, output, output_stride, accumulate);
}

void TimedOps::linear_backward_input(const float* output_gradient, std::int64_t output_stride, const float* weight,
                                     std::int64_t rows, std::int64_t in, std::int64_t out, float* x_gradient,
                                     bool accumulate) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::linear_backward_input)]);
  inner_.linear_backward_input(output_gradient, output_stride, weight, rows, in, out, x_gradient, accumulate);
}

void TimedOps::linear_backward_weight(const float* output_gradient, std::int64_t output_stride, const float* x,
                                      std::int64_t rows, std::int64_t in, std::int64_t out, float* weight_gradient,
                                      float* bias_gradient, bool accumulate) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::linear_backward_weight)]);
  inner_.linear_backward_weight(output_gradient, output_stride, x, rows, in, out, weight_gradient, bias_gradient,
                                accumulate);
}

void TimedOps::gelu_forward(const float* x, std::int64_t count, float* output) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::activation)]);
  inner_.gelu_forward(x, count, output);
}

void TimedOps::gelu_backward(const float* x, std::int64_t count, float* gradient, float* output) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::activation)]);
  inner_.gelu_backward(x, count, gradient, output);
}

void TimedOps::attention_forward(const float* query_key_value, std::span<const Sequence> sequences,
                                 const AttentionShape& shape, std::int64_t rows, float* output, float* log_sum_exp) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::attention_forward)]);
  inner_.attention_forward(query_key_value, sequences, shape, rows, output, log_sum_exp);
}

void TimedOps::attention_backward(const float* output_gradient, const float* query_key_value, const float* output,
                                  const float* log_sum_exp, std::span<const Sequence> sequences,
                                  const AttentionShape& shape, std::int64_t rows, float* query_key_value_gradient) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::attention_backward)]);
  inner_.attention_backward(output_gradient, query_key_value, output, log_sum_exp, sequences, shape, rows,
                            query_key_value_gradient);
}

void TimedOps::embedding_step(std::span<const StepRow> rows, const float* token_embedding,
                              const float* position_embedding, std::int64_t width, float* output) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::embedding)]);
  inner_.embedding_step(rows, token_embedding, position_embedding, width, output);
}

void TimedOps::cache_write(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                           float* cache) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::attention_step)]);
  inner_.cache_write(query_key_value, rows, shape, cache);
}

void TimedOps::attention_step(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                              const float* cache, float* output) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::attention_step)]);
  inner_.attention_step(query_key_value, rows, shape, cache, output);
}

void TimedOps::cross_entropy_forward(const float* logits, std::int64_t stride, const std::uint32_t* targets,
                                     std::int64_t rows, std::int64_t vocabulary, double* nll) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::cross_entropy)]);
  inner_.cross_entropy_forward(logits, stride, targets, rows, vocabulary, nll);
}

void TimedOps::cross_entropy_backward(float* logits, std::int64_t stride, const std::uint32_t* targets,
                                      std::int64_t rows, std::int64_t vocabulary, double* nll) {
  const Stopwatch watch(seconds_[static_cast<std::size_t>(OpKind::cross_entropy)]);
  inner_.cross_entropy_backward(logits, stride, targets, rows, vocabulary, nll);
}

}  // namespace chainrule::model::ops
