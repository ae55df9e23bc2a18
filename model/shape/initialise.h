#pragma once
#include <cstdint>
#include <span>

#include "model/shape/parameters.h"

namespace chainrule::model::shape {

/// Gives each parameter the beginning that the description names. Each element depends on (seed, its parameter's name,
/// its index) alone. arena [table.arena_size()]; throws Error for another size.
void initialise(const Config& config, const ParameterTable& table, std::uint64_t seed, std::span<float> arena);

}  // namespace chainrule::model::shape
