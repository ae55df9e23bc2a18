#include "model/ops/ops.h"

#include "model/ops/workspace.h"

namespace chainrule::model::ops {

Ops::Ops(std::unique_ptr<Workspace> workspace) : workspace_(std::move(workspace)) {}
Ops::~Ops() = default;

std::unique_ptr<Ops> make_reference_ops() { return std::make_unique<Ops>(nullptr); }

std::unique_ptr<Ops> make_fast_ops(products::Math math) {
  return std::make_unique<Ops>(std::make_unique<Workspace>(
      math, products::onednn::rounds_factors(math) ? nullptr : products::kernel_for_this_processor()));
}

std::string_view float32_products_by() {
  const products::ProductKernel* kernel = products::kernel_for_this_processor();
  if (kernel == nullptr) return "oneDNN";
  return kernel->least_reuse == 0 ? "chainrule" : "chainrule and oneDNN";
}

std::unique_ptr<Ops> make_onednn_ops(products::Math math) {
  return std::make_unique<Ops>(std::make_unique<Workspace>(math, nullptr));
}

}  // namespace chainrule::model::ops
