#include "model/shape/rotary_factors.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chainrule::model::shape {
namespace {

using Kind = RotaryScaling::Kind;

/// In the order of float32 operations of PyTorch, in which the converter computes: x / y is x * (1 / y) there.
float wave_of(float frequency) { return 1.0F / frequency * static_cast<float>(2 * std::numbers::pi); }

float llama3_factor(const RotaryScaling& scaling, float frequency) {
  const auto original = static_cast<double>(scaling.original_length);
  const auto low = static_cast<float>(scaling.low_frequency_factor);
  const auto high = static_cast<float>(scaling.high_frequency_factor);
  const auto factor = static_cast<float>(scaling.factor);
  const float wave = wave_of(frequency);
  if (wave < original / scaling.high_frequency_factor) return 1;
  if (wave > original / scaling.low_frequency_factor) return factor;
  const float smooth = (1.0F / wave * static_cast<float>(original) - low) / (high - low);
  return 1.0F / ((1.0F - smooth) / factor + smooth);
}

/// The original length from one factor between 1 and the largest, which is the scaling's; low and high frequencies are
/// those of every Llama.
RotaryScaling llama3_of(float between, float frequency, float largest) {
  RotaryScaling scaling{.kind = Kind::llama3, .factor = largest, .low_frequency_factor = 1, .high_frequency_factor = 4};
  const double smooth = (1.0 / between - 1.0 / largest) / (1.0 - 1.0 / largest);
  const double turns =
      scaling.low_frequency_factor + smooth * (scaling.high_frequency_factor - scaling.low_frequency_factor);
  scaling.original_length = std::llround(turns * static_cast<double>(wave_of(frequency)));
  return scaling;
}

}  // namespace

RotaryScaling scaling_of_factors(const std::vector<float>& factors, double theta) {
  RotaryScaling explicitly{.kind = Kind::factors, .factors = factors};
  if (std::ranges::all_of(factors, [](float factor) { return factor == 1; })) return {};
  const float largest = *std::ranges::max_element(factors);
  const auto between = std::ranges::find_if(factors, [&](float factor) { return factor > 1 && factor < largest; });
  if (between == factors.end() || !std::isfinite(largest)) return explicitly;
  const std::vector<float> frequencies =
      rotary_frequencies({.theta = theta}, 2 * static_cast<std::int64_t>(factors.size()), 1);
  const RotaryScaling llama3 =
      llama3_of(*between, frequencies[static_cast<std::size_t>(between - factors.begin())], largest);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (llama3_factor(llama3, frequencies[i]) != factors[i]) return explicitly;
  }
  return llama3;
}

}  // namespace chainrule::model::shape
