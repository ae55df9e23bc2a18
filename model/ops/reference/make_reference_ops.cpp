#include "model/ops/reference/reference_ops.h"

namespace chainrule::model::ops {

std::unique_ptr<Ops> make_reference_ops() { return std::make_unique<ReferenceOps>(); }

}  // namespace chainrule::model::ops
