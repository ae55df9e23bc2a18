#include "model/shape/rotary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/error.h"

namespace chainrule::model::shape {
namespace {

using Kind = RotaryScaling::Kind;
constexpr double kTurn = 2 * std::numbers::pi;

/// base^(2 pair / width): positions a radian.
float wavelength(double base, std::int64_t pair, std::int64_t width) {
  const float exponent = static_cast<float>(2 * pair) / static_cast<float>(width);
  return static_cast<float>(std::pow(base, static_cast<double>(exponent)));
}

/// The base of a sequence beyond the original length, which stretches the slowest channel by as much as the sequence is
/// longer and leaves the fastest.
double dynamic_base(const Rotary& rotary, std::int64_t width, std::int64_t length) {
  const RotaryScaling& scaling = rotary.scaling;
  if (length <= scaling.original_length) return rotary.theta;
  const double longer = static_cast<double>(length) / static_cast<double>(scaling.original_length);
  const double exponent = static_cast<double>(width) / static_cast<double>(width - 2);
  return rotary.theta * std::pow(scaling.factor * longer - (scaling.factor - 1), exponent);
}

float llama3_frequency(const RotaryScaling& scaling, float frequency) {
  const auto factor = static_cast<float>(scaling.factor);
  const auto original = static_cast<double>(scaling.original_length);
  const float length = static_cast<float>(kTurn) / frequency;
  if (length > original / scaling.low_frequency_factor) return frequency / factor;
  if (length < original / scaling.high_frequency_factor) return frequency;
  const auto smooth = static_cast<float>((original / length - scaling.low_frequency_factor) /
                                         (scaling.high_frequency_factor - scaling.low_frequency_factor));
  return (1.0F - smooth) * frequency / factor + smooth * frequency;
}

/// The pair of channels, not a whole one, that turns so often in the original length.
double pair_that_turns(double times, const Rotary& rotary, std::int64_t width) {
  return static_cast<double>(width) * std::log(static_cast<double>(rotary.scaling.original_length) / (times * kTurn)) /
         (2 * std::log(rotary.theta));
}

float yarn_frequency(const Rotary& rotary, std::int64_t pair, std::int64_t width) {
  const RotaryScaling& scaling = rotary.scaling;
  double low = pair_that_turns(scaling.beta_fast, rotary, width);
  double high = pair_that_turns(scaling.beta_slow, rotary, width);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(width - 1));
  if (low == high) high += 0.001;
  const auto ramp = static_cast<float>((static_cast<double>(pair) - low) / (high - low));
  const float stay = 1.0F - std::clamp(ramp, 0.0F, 1.0F);
  const float positions = wavelength(rotary.theta, pair, width);
  return 1.0F / (static_cast<float>(scaling.factor) * positions) * (1.0F - stay) + 1.0F / positions * stay;
}

void require_positive(double value, const char* name) {
  if (!(value > 0) || !std::isfinite(value)) throw Error(fmt::format("rotary positions' {} must be above 0", name));
}

void validate_factors(const std::vector<float>& factors, std::int64_t head_width) {
  if (static_cast<std::int64_t>(factors.size()) != head_width / 2) {
    throw Error(fmt::format("rotary positions' {} factors are not one for each of {} frequencies", factors.size(),
                            head_width / 2));
  }
  for (const float factor : factors) require_positive(factor, "factors");
}

}  // namespace

void validate(const Rotary& rotary, std::int64_t head_width) {
  const RotaryScaling& scaling = rotary.scaling;
  require_positive(rotary.theta, "theta");
  if (scaling.kind == Kind::none) return;
  if (scaling.kind == Kind::factors) return validate_factors(scaling.factors, head_width);
  require_positive(scaling.factor, "scaling factor");
  if (scaling.kind == Kind::linear) return;
  if (scaling.original_length < 1 || scaling.original_length > 1 << 28) {
    throw Error(fmt::format("rotary positions' original length of {} cannot be", scaling.original_length));
  }
  require_positive(scaling.attention_factor, "attention factor");
  require_positive(scaling.low_frequency_factor, "low frequency factor");
  require_positive(scaling.high_frequency_factor - scaling.low_frequency_factor, "range of frequency factors");
  require_positive(scaling.beta_slow, "beta_slow");
  require_positive(scaling.beta_fast, "beta_fast");
  if (scaling.kind == Kind::yarn && rotary.theta == 1) throw Error("rotary positions' theta must not be 1");
}

std::vector<float> rotary_frequencies(const Rotary& rotary, std::int64_t head_width, std::int64_t length) {
  std::vector<float> frequencies;
  const double base = rotary.by_length() ? dynamic_base(rotary, head_width, length) : rotary.theta;
  for (std::int64_t pair = 0; pair < head_width / 2; ++pair) {
    const float frequency = 1.0F / wavelength(base, pair, head_width);
    switch (rotary.scaling.kind) {
      case Kind::none:
      case Kind::dynamic: frequencies.push_back(frequency); break;
      case Kind::linear: frequencies.push_back(frequency / static_cast<float>(rotary.scaling.factor)); break;
      case Kind::llama3: frequencies.push_back(llama3_frequency(rotary.scaling, frequency)); break;
      case Kind::yarn: frequencies.push_back(yarn_frequency(rotary, pair, head_width)); break;
      case Kind::factors:
        frequencies.push_back(frequency / rotary.scaling.factors[static_cast<std::size_t>(pair)]);
        break;
    }
  }
  return frequencies;
}

}  // namespace chainrule::model::shape
