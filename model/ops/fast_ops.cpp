#include "model/ops/fast_ops.h"

namespace chainrule::model {

std::unique_ptr<Ops> make_fast_ops(Math math) { return std::make_unique<FastOps>(math); }

}  // namespace chainrule::model
