#pragma once
#include <cstdint>

namespace chainrule::model::ops {

// The loops of a softmax over `count` (at least 1) consecutive values, vectorised.

/// The largest value; a NaN among them may be passed by.
float largest(const float* values, std::int64_t count);
/// values = exp(factor * (values - shift)); returns their sum.
float exponentiate(float* values, float factor, float shift, std::int64_t count);
/// values *= factor.
void scale(float* values, float factor, std::int64_t count);

}  // namespace chainrule::model::ops
