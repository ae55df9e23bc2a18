#include "model/optimizer/adamw.h"

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::optimizer {
namespace {

/// What one step's formula needs, rounded to float32 once.
struct StepFactors {
  float gradient_scale;
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float step_size;     // learning rate / (1 - beta1^t)
  float second_scale;  // 1 / (1 - beta2^t)
  float epsilon;
  float decay;  // learning rate * weight decay
};

CHAINRULE_MULTIVERSION
double squares(const float* values, std::int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

CHAINRULE_MULTIVERSION
void update(const StepFactors& f, float decay, std::int64_t count, float* __restrict parameters,
            const float* __restrict gradients, float* __restrict first, float* __restrict second) {
  const StepFactors c = f;
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = c.gradient_scale * gradients[i];
    const float m = c.beta1 * first[i] + c.one_minus_beta1 * g;
    const float v = c.beta2 * second[i] + c.one_minus_beta2 * (g * g);
    first[i] = m;
    second[i] = v;
    const float direction = c.step_size * m / (std::sqrt(v * c.second_scale) + c.epsilon);
    parameters[i] = parameters[i] - decay * parameters[i] - direction;
  }
}

}  // namespace

double sum_of_squares(std::span<const float> values) {
  return squares(values.data(), static_cast<std::int64_t>(values.size()));
}

void adamw(const AdamWOptions& options, std::int64_t step, double gradient_scale, std::int64_t first,
           std::span<const shape::ParameterRange> decay_ranges, std::span<float> parameters,
           std::span<const float> gradients, std::span<float> first_moment, std::span<float> second_moment) {
  const auto size = static_cast<std::int64_t>(parameters.size());
  if (gradients.size() != parameters.size() || first_moment.size() != parameters.size() ||
      second_moment.size() != parameters.size()) {
    throw Error("adamw: spans of different sizes");
  }
  const auto t = static_cast<double>(step);
  StepFactors factors{};
  factors.gradient_scale = static_cast<float>(gradient_scale);
  factors.beta1 = static_cast<float>(options.beta1);
  factors.one_minus_beta1 = static_cast<float>(1 - options.beta1);
  factors.beta2 = static_cast<float>(options.beta2);
  factors.one_minus_beta2 = static_cast<float>(1 - options.beta2);
  factors.step_size = static_cast<float>(options.learning_rate / (1 - std::pow(options.beta1, t)));
  factors.second_scale = static_cast<float>(1 / (1 - std::pow(options.beta2, t)));
  factors.epsilon = static_cast<float>(options.epsilon);
  const auto decay = static_cast<float>(options.learning_rate * options.weight_decay);

  constexpr std::int64_t kPiece = 16'384;
#pragma omp parallel for schedule(static)
  for (std::int64_t begin = 0; begin < size; begin += kPiece) {
    const std::int64_t end = std::min(begin + kPiece, size);
    // Walk the piece in runs that are wholly inside or wholly outside the ranges that decay.
    auto range = std::upper_bound(decay_ranges.begin(), decay_ranges.end(), first + begin,
                                  [](std::int64_t at, const shape::ParameterRange& each) { return at < each.end; });
    for (std::int64_t at = begin; at < end;) {
      const bool outside = range == decay_ranges.end() || first + at < range->begin;
      const std::int64_t border = range == decay_ranges.end() ? end : (outside ? range->begin : range->end) - first;
      const std::int64_t stop = std::min(end, border);
      update(factors, outside ? 0.0F : decay, stop - at, parameters.data() + at, gradients.data() + at,
             first_moment.data() + at, second_moment.data() + at);
      at = stop;
      if (!outside && stop == border) ++range;
    }
  }
}

}  // namespace chainrule::model::optimizer
