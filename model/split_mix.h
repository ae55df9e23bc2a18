#pragma once
#include <cstdint>

namespace chainrule::model {

/// The next number of SplitMix64 from the state `value` (Steele, Lea, Flood 2014): every bit of it moves every bit of
/// the result, so that numbers of counters and keys are as good as random.
constexpr std::uint64_t split_mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

}  // namespace chainrule::model
