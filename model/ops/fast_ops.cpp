#include "model/ops/fast_ops.h"

namespace chainrule::model::ops {

std::unique_ptr<Ops> make_fast_ops(products::Math math) {
  return std::make_unique<FastOps>(
      math, products::onednn::rounds_factors(math) ? nullptr : products::kernel_for_this_processor());
}

std::string_view float32_products_by() {
  const products::ProductKernel* kernel = products::kernel_for_this_processor();
  if (kernel == nullptr) return "oneDNN";
  return kernel->least_reuse == 0 ? "chainrule" : "chainrule and oneDNN";
}

std::unique_ptr<Ops> make_onednn_ops(products::Math math) { return std::make_unique<FastOps>(math, nullptr); }

}  // namespace chainrule::model::ops
