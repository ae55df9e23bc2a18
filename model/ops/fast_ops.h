#pragma once
#include <optional>
#include <vector>

#include "model/arena.h"
#include "model/ops/ops.h"
#include "model/products/blocked_products.h"
#include "model/products/onednn/products.h"

namespace chainrule::model::ops {

/// Large products and vectorised loops behind the contract of Ops; one file an op group beside this header.
class FastOps final : public Ops {
 public:
  /// kernel: of BlockedProducts, which then do the float32 products that suit them; null: oneDNN does all.
  FastOps(products::Math math, const products::ProductKernel* kernel) : products_(math) {
    if (kernel != nullptr) blocked_.emplace(*kernel);
  }

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

 private:
  /// Room for that many scores in thread_memory_ for each thread.
  void reserve_per_thread(std::int64_t elements);

  void multiply(const products::ProductShape& shape, const float* a, const float* b, const float* bias, float* c);

  products::onednn::Products products_;
  std::optional<products::BlockedProducts> blocked_;  // instead of products_, where they are faster
  std::vector<std::int64_t> positions_;               // of each row, kept to avoid allocating in a step
  std::vector<Arena> thread_memory_;                  // attention's scores and packed blocks, one buffer a thread
  Arena packed_;                                      // attention's keys and values of a whole batch, in panels
};

}  // namespace chainrule::model::ops
