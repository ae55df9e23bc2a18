#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "model/ops/batch.h"
#include "model/products/shape.h"

namespace chainrule::model::ops {

struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t width() const { return heads * head_width; }
};

/// The keys and values of one layer that decoding keeps: [slots, 2 (keys, values), heads, capacity, head_width].
struct CacheShape {
  AttentionShape attention;
  std::int64_t capacity = 0;  ///< positions of a slot

  std::int64_t slot_elements() const { return 2 * attention.heads * capacity * attention.head_width; }
  /// First element of the keys of a head in a slot; its values lie value_offset() further on.
  std::int64_t keys(std::int64_t slot, std::int64_t head) const {
    return slot * slot_elements() + head * capacity * attention.head_width;
  }
  std::int64_t value_offset() const { return attention.heads * capacity * attention.head_width; }
};

/// The operations of a decoder on row-major float32 spans: one contract, two implementations (reference/ and the fast
/// ones). Outputs never overlap inputs unless said. "adds to" accumulates; everything else overwrites.
class Ops {
 public:
  Ops() = default;
  Ops(const Ops&) = delete;
  Ops& operator=(const Ops&) = delete;
  virtual ~Ops() = default;

  /// output [rows,width] = token_embedding[tokens[r]] + position_embedding[position of r in its sequence]; rows in no
  /// sequence get position 0.
  virtual void embedding_forward(const Batch& batch, const float* token_embedding, const float* position_embedding,
                                 std::int64_t width, float* output) = 0;
  /// Adds the rows of gradient [rows,width] to both embeddings' gradients, in row order.
  virtual void embedding_backward(const Batch& batch, const float* gradient, std::int64_t width, float* token_gradient,
                                  float* position_gradient) = 0;

  /// output [rows,width] = (x - mean) * inverse_deviation * gain + bias per row; mean, inverse_deviation [rows].
  /// Variance is over width (not width - 1). Ba, Kiros, Hinton 2016. bias may be null.
  virtual void layer_norm_forward(const float* x, const float* gain, const float* bias, std::int64_t rows,
                                  std::int64_t width, float epsilon, float* output, float* mean,
                                  float* inverse_deviation) = 0;
  /// Adds to x_gradient [rows,width]; adds to gain_gradient and bias_gradient [width] (bias_gradient may be null).
  virtual void layer_norm_backward(const float* output_gradient, const float* x, const float* gain, const float* mean,
                                   const float* inverse_deviation, std::int64_t rows, std::int64_t width,
                                   float* x_gradient, float* gain_gradient, float* bias_gradient) = 0;

  /// output [rows,out] (+)= x [rows,in] * weight [out,in]^T + bias [out] (may be null); accumulate adds to output.
  virtual void linear_forward(const float* x, const float* weight, const float* bias, std::int64_t rows,
                              std::int64_t in, std::int64_t out, float* output, std::int64_t output_stride,
                              bool accumulate) = 0;
  /// x_gradient [rows,in] (+)= output_gradient [rows,out] * weight [out,in].
  virtual void linear_backward_input(const float* output_gradient, std::int64_t output_stride, const float* weight,
                                     std::int64_t rows, std::int64_t in, std::int64_t out, float* x_gradient,
                                     bool accumulate) = 0;
  /// weight_gradient [out,in] (+)= output_gradient^T * x; adds the column sums of output_gradient to bias_gradient
  /// [out] (may be null).
  virtual void linear_backward_weight(const float* output_gradient, std::int64_t output_stride, const float* x,
                                      std::int64_t rows, std::int64_t in, std::int64_t out, float* weight_gradient,
                                      float* bias_gradient, bool accumulate) = 0;

  /// output = gelu(x), the tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks, Gimpel 2016.
  /// output may be x.
  virtual void gelu_forward(const float* x, std::int64_t count, float* output) = 0;
  /// gradient *= gelu'(x), in place; output = gelu(x) beside it, which backward needs as well.
  virtual void gelu_backward(const float* x, std::int64_t count, float* gradient, float* output) = 0;

  /// Causal self-attention within each sequence. query_key_value [rows, 3 C]: a row holds its query, key and value, C
  /// each, heads side by side. output [rows, C] (padding rows zero); log_sum_exp [heads, rows] of the scaled scores,
  /// for backward. Scores are scaled by 1/sqrt(head_width).
  virtual void attention_forward(const float* query_key_value, std::span<const Sequence> sequences,
                                 const AttentionShape& shape, std::int64_t rows, float* output, float* log_sum_exp) = 0;
  /// query_key_value_gradient [rows, 3 C] gets the gradient (padding rows zero).
  virtual void attention_backward(const float* output_gradient, const float* query_key_value, const float* output,
                                  const float* log_sum_exp, std::span<const Sequence> sequences,
                                  const AttentionShape& shape, std::int64_t rows, float* query_key_value_gradient) = 0;

  /// output [rows,width] = token_embedding[row.token] + position_embedding[row.position].
  virtual void embedding_step(std::span<const StepRow> rows, const float* token_embedding,
                              const float* position_embedding, std::int64_t width, float* output) = 0;
  /// Puts the keys and values of query_key_value [rows, 3 C] at their rows' slots and positions in cache.
  virtual void cache_write(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                           float* cache) = 0;
  /// output [rows, C]: the queries of query_key_value [rows, 3 C], each over the cached positions up to its row's own.
  virtual void attention_step(const float* query_key_value, std::span<const StepRow> rows, const CacheShape& shape,
                              const float* cache, float* output) = 0;

  /// nll [rows] = log(sum exp logits) - logits[target] in nats; 0 where the target is kNotScored. logits
  /// [rows,vocabulary], row stride `stride`.
  virtual void cross_entropy_forward(const float* logits, std::int64_t stride, const std::uint32_t* targets,
                                     std::int64_t rows, std::int64_t vocabulary, double* nll) = 0;
  /// As forward, and turns the logits in place into d nll / d logits = softmax - one-hot (zero where not scored).
  virtual void cross_entropy_backward(float* logits, std::int64_t stride, const std::uint32_t* targets,
                                      std::int64_t rows, std::int64_t vocabulary, double* nll) = 0;
};

/// Plain loops with double accumulation, slow and clear: what the fast ones are tested against.
std::unique_ptr<Ops> make_reference_ops();

/// Large products and vectorised loops, parallel over the calling process's OpenMP threads. The products are this
/// project's own in float32 on processors whose widest vectors are AVX2, else oneDNN's.
std::unique_ptr<Ops> make_fast_ops(products::Math math);
/// Whose float32 products make_fast_ops() gives on this processor: "chainrule" or "oneDNN".
std::string_view float32_products_by();
/// The same with oneDNN's products on every processor.
std::unique_ptr<Ops> make_onednn_ops(products::Math math);

}  // namespace chainrule::model::ops
