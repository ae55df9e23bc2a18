#include "model/ops/soft_cap.h"

#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {
namespace {

/// tanh(u) = 1 - 2 / (1 + e^2u); near 0, where that cancels, by its series.
CHAINRULE_MULTIVERSION
void cap_row(float* logits, std::int64_t count, float cap) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float u = logits[i] / cap;
    const float square = u * u;
    const float series = u * (1.0F - square * (1.0F / 3.0F - square * (2.0F / 15.0F)));
    const float closed = 1.0F - 2.0F / (1.0F + simd::exponential(2.0F * u));
    const float tangent = square < 0.0025F ? series : closed;
    logits[i] = cap * tangent;
  }
}

}  // namespace

void fast(Workspace& /*workspace*/, const SoftCap& op) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < op.rows; ++row) cap_row(op.logits + row * op.stride, op.vocabulary, op.cap);
}

}  // namespace chainrule::model::ops
