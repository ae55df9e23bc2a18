#pragma once
#include <cstdint>

namespace chainrule::model::sampling {

/// A stream of random numbers fixed by its key alone: number n is a hash of (key, n), so streams of different keys are
/// independent of each other and of who draws from them (Steele, Lea, Flood 2014: SplitMix64).
class RandomStream {
 public:
  /// The stream of sample `sample` of prompt `prompt` under a seed.
  RandomStream(std::uint64_t seed, std::uint64_t prompt, std::uint64_t sample);

  /// The next number, uniform in [0, 1).
  double next();

 private:
  std::uint64_t key_;
  std::uint64_t drawn_ = 0;
};

}  // namespace chainrule::model::sampling
