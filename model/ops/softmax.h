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

/// -log p in nats of a logit, from sum = the sum of exp(logit - shift) over all. NaN where a logit was none: the
/// maximum may pass it by, but never the sum.
double cross_entropy_of(double sum, float shift, float logit);

}  // namespace chainrule::model::ops
