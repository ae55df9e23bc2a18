#pragma once
#include <memory>
#include <string_view>

#include "model/ops/op_seconds.h"
#include "model/products/shape.h"

namespace chainrule::model::ops {

class Workspace;

/// The operations of a decoder on row-major float32 spans, in one of two implementations. An operation is a struct of
/// its arguments (embedding.h, layer_norm.h, linear.h, gelu.h, attention.h, attention_step.h, cross_entropy.h,
/// prediction_scores.h, prediction_divergence.h) that says what it computes, with its kind and two functions beside it:
/// fast(Workspace&, op) and reference(op). Outputs never overlap inputs unless said. "adds to" accumulates; everything
/// else overwrites. Not for use by two threads at once.
class Ops final {
 public:
  /// The implementation: with a workspace the fast one, without one the plain loops.
  explicit Ops(std::unique_ptr<Workspace> workspace);
  ~Ops();
  Ops(const Ops&) = delete;
  Ops& operator=(const Ops&) = delete;

  template <typename Op>
  void run(const Op& op) {
    const OpTimer timer(seconds_, Op::kKind);
    if (workspace_ != nullptr) {
      fast(*workspace_, op);
    } else {
      reference(op);
    }
  }

  /// Adds the wall time of each operation to its kind's from here on; null: to none, and no clock is read.
  void add_seconds_to(OpSeconds* table) { seconds_ = table; }

 private:
  std::unique_ptr<Workspace> workspace_;
  OpSeconds* seconds_ = nullptr;
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
