#include "model/ops/soft_cap.h"

#include <cmath>

namespace chainrule::model::ops {

void reference(const SoftCap& op) {
  const double cap = op.cap;
  for (std::int64_t r = 0; r < op.rows; ++r) {
    float* row = op.logits + r * op.stride;
    for (std::int64_t v = 0; v < op.vocabulary; ++v) row[v] = static_cast<float>(cap * std::tanh(row[v] / cap));
  }
}

}  // namespace chainrule::model::ops
