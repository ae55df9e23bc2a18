#pragma once
#include "model/ops/ops.h"

namespace chainrule::model::ops {

/// The contract of Ops as plain loops: one file an op group, each result summed in double and rounded once.
/// Contracts of the single operations are at Ops.
class ReferenceOps final : public Ops {
 public:
  void embedding_forward(const Batch& batch, const float* token_embedding, const float* position_embedding,
                         std::int64_t width, float* output) override;
  void embedding_backward(const Batch& batch, const float* gradient, std::int64_t width, float* token_gradient,
                          float* position_gradient) override;

  void layer_norm_forward(const float* x, const float* gain, const float* bias, std::int64_t rows, std::int64_t width,
                          float epsilon, float* output, float* mean, float* inverse_deviation) override;
  void layer_norm_backward(const float* output_gradient, const float* x, const float* gain, const float* mean,
                           const float* inverse_deviation, std::int64_t rows, std::int64_t width, float* x_gradient,
                           float* gain_gradient, float* bias_gradient) override;

  void linear_forward(const float* x, const float* weight, const float* bias, std::int64_t rows, std::int64_t in,
                      std::int64_t out, float* output, std::int64_t output_stride, bool accumulate) override;
  void linear_backward_input(const float* output_gradient, std::int64_t output_stride, const float* weight,
                             std::int64_t rows, std::int64_t in, std::int64_t out, float* x_gradient,
                             bool accumulate) override;
  void linear_backward_weight(const float* output_gradient, std::int64_t output_stride, const float* x,
                              std::int64_t rows, std::int64_t in, std::int64_t out, float* weight_gradient,
                              float* bias_gradient, bool accumulate) override;

  void gelu_forward(const float* x, std::int64_t count, float* output) override;
  void gelu_backward(const float* x, std::int64_t count, float* gradient, float* output) override;

  void attention_forward(const float* query_key_value, std::span<const Sequence> sequences, const AttentionShape& shape,
                         std::int64_t rows, float* output, float* log_sum_exp) override;
  void attention_backward(const float* output_gradient, const float* query_key_value, const float* output,
                          const float* log_sum_exp, std::span<const Sequence> sequences, const AttentionShape& shape,
                          std::int64_t rows, float* query_key_value_gradient) override;

  void embedding_step(std::span<const StepRow> rows, const float* token_embedding, const float* position_embedding,
                      std::int64_t width, float* output) override;
  void cache_write(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                   float* cache) override;
  void attention_step(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                      const float* cache, float* output) override;

  void cross_entropy_forward(const float* logits, std::int64_t stride, const std::uint32_t* targets, std::int64_t rows,
                             std::int64_t vocabulary, double* nll) override;
  void cross_entropy_backward(float* logits, std::int64_t stride, const std::uint32_t* targets, std::int64_t rows,
                              std::int64_t vocabulary, double* nll) override;
};

}  // namespace chainrule::model::ops
