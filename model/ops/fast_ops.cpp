#include "model/ops/fast_ops.h"

namespace chainrule::model {

std::unique_ptr<Ops> make_fast_ops(Math math) {
  return std::make_unique<FastOps>(math, math == Math::float32 && BlockedProducts::fit_this_processor());
}

std::string_view float32_products_by() { return BlockedProducts::fit_this_processor() ? "chainrule" : "oneDNN"; }

std::unique_ptr<Ops> make_onednn_ops(Math math) { return std::make_unique<FastOps>(math, false); }

}  // namespace chainrule::model
