#pragma once
#include <cstdint>

namespace chainrule::model::ops {

// The loops of a softmax over `count` (at least 1) consecutive values, vectorised.

/// Terms summed in float32 before they join a double sum.
inline constexpr std::int64_t kSoftmaxPiece = 1024;

/// The largest value; a NaN among them may be passed by.
float largest(const float* values, std::int64_t count);
/// values = exp(factor * (values - shift)); returns their sum.
float exponentiate(float* values, float factor, float shift, std::int64_t count);
/// values *= factor.
void scale(float* values, float factor, std::int64_t count);

/// log Z, of the softmax's normaliser Z = the sum of exp(logit) over all, from sum = that of exp(logit - shift). NaN
/// where a logit was none: the maximum may pass it by, but never the sum.
double log_normaliser_of(double sum, float shift);
/// -log p in nats of a logit, from the same sum; NaN as above.
double cross_entropy_of(double sum, float shift, float logit);

}  // namespace chainrule::model::ops
