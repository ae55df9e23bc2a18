#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/weights/encoding.h"

namespace chainrule::tests {

/// Random bytes that decode to numbers of about the given size: `elements` of them, whole blocks.
std::vector<std::byte> random_encoded(model::weights::Encoding encoding, std::int64_t elements, std::uint64_t seed);

/// What they stand for, element by element.
std::vector<float> decoded(model::weights::Encoding encoding, std::span<const std::byte> bytes, std::int64_t elements);

}  // namespace chainrule::tests
