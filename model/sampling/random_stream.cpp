#include "model/sampling/random_stream.h"

namespace chainrule::model::sampling {
namespace {

std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t prompt, std::uint64_t sample)
    : key_(mix(mix(mix(seed) ^ prompt) ^ sample)) {}

double RandomStream::next() { return static_cast<double>(mix(key_ ^ mix(drawn_++)) >> 11U) * 0x1p-53; }

}  // namespace chainrule::model::sampling
