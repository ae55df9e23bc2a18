#pragma once
#include <cstdint>
#include <vector>

namespace chainrule::model::shape {

/// How a model's rotary frequencies are stretched to contexts that it was not trained on at first.
struct RotaryScaling {
  /// linear: Chen et al. 2023. dynamic: by the length of each sequence (NTK-aware). llama3: Llama 3.1's. yarn: Peng et
  /// al. 2023. factors: each frequency by its own.
  enum class Kind { none, linear, dynamic, llama3, yarn, factors };

  Kind kind = Kind::none;
  double factor = 1;                 ///< by how much the context was stretched
  std::int64_t original_length = 0;  ///< the context before; all but linear and factors
  double low_frequency_factor = 1;   ///< llama3: wavelengths above original_length / this are divided by the factor
  double high_frequency_factor = 4;  ///< llama3: those below original_length / this stay
  double beta_fast = 32;             ///< yarn: frequencies that turn more often than this in original_length stay
  double beta_slow = 1;              ///< yarn: those that turn less often are divided by the factor
  bool truncate = true;              ///< yarn: the channels between are counted in whole ones
  double attention_factor = 1;       ///< yarn: of cosines and sines
  std::vector<float> factors = {};   ///< factors: [head_width / 2], by which frequencies are divided

  bool operator==(const RotaryScaling&) const = default;
};

/// Rotary position encoding: channels i and i + head_width / 2 of each query and key are turned together by
/// position * theta^(-2 i / head_width). Su et al. 2021, halves as in GPT-NeoX and Llama.
struct Rotary {
  double theta = 10'000;
  RotaryScaling scaling = {};

  /// Whether frequencies depend on the length of a sequence that is longer than scaling.original_length.
  bool by_length() const { return scaling.kind == RotaryScaling::Kind::dynamic; }
  bool operator==(const Rotary&) const = default;
};

/// Throws Error naming the first number that cannot be.
void validate(const Rotary& rotary, std::int64_t head_width);

/// Radians a position of each pair of channels, [head_width / 2], for a sequence of that length. Each is rounded to
/// float32 where transformers rounds it, since models are trained and published with those.
std::vector<float> rotary_frequencies(const Rotary& rotary, std::int64_t head_width, std::int64_t length);

}  // namespace chainrule::model::shape
