#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/shape/parameters.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Elements of an arena: ranges in order that neither meet nor overlap, none of them empty.
using ArenaRanges = std::vector<model::shape::ParameterRange>;

std::int64_t elements_of(const ArenaRanges& ranges);
/// What lies in both.
ArenaRanges common_part(const ArenaRanges& left, const ArenaRanges& right);
/// What of whole lies in none of the holes.
ArenaRanges without(model::shape::ParameterRange whole, const ArenaRanges& holes);

/// Copies the ranges' elements out of an arena, side by side. packed [elements_of(ranges)].
void pack(const float* arena, const ArenaRanges& ranges, float* packed);
/// And back to their places.
void unpack(const float* packed, const ArenaRanges& ranges, float* arena);

}  // namespace chainrule::pipeline::pretrain::exchange
