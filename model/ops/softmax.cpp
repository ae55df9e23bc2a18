#include "model/ops/softmax.h"

#include <cmath>
#include <limits>

#include "model/simd/exponential.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::ops {

CHAINRULE_MULTIVERSION
float largest(const float* values, std::int64_t count) {
  float best = values[0];
#pragma omp simd reduction(max : best)
  for (std::int64_t i = 0; i < count; ++i) best = values[i] > best ? values[i] : best;
  return best;
}

CHAINRULE_MULTIVERSION
float exponentiate(float* values, float factor, float shift, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    const float e = simd::exponential(factor * (values[i] - shift));
    values[i] = e;
    sum += e;
  }
  return sum;
}

CHAINRULE_MULTIVERSION
void scale(float* values, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) values[i] *= factor;
}

double log_normaliser_of(double sum, float shift) {
  const bool usable = std::isfinite(sum) && sum > 0;
  if (!usable) return std::numeric_limits<double>::quiet_NaN();
  return std::log(sum) + static_cast<double>(shift);
}

double cross_entropy_of(double sum, float shift, float logit) {
  return log_normaliser_of(sum, shift) - static_cast<double>(logit);
}

}  // namespace chainrule::model::ops
