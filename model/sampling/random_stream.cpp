#include "model/sampling/random_stream.h"

#include "model/split_mix.h"

namespace chainrule::model::sampling {

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t prompt, std::uint64_t sample)
    : key_(split_mix(split_mix(split_mix(seed) ^ prompt) ^ sample)) {}

double RandomStream::next() { return static_cast<double>(split_mix(key_ ^ split_mix(drawn_++)) >> 11U) * 0x1p-53; }

}  // namespace chainrule::model::sampling
