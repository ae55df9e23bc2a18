#pragma once
// The parts of a block one by one: what both directions of a pass share.
#include "model/decoder/block_pass.h"

namespace chainrule::model::decoder {

inline const shape::Value& value(const BlockPass& pass, std::size_t index) { return pass.block.values[index]; }

/// Where a part finds what it reads.
inline const float* source(const BlockPass& pass, std::size_t index) {
  return index == 0 ? pass.input : pass.memory.values[index];
}

/// Where a part puts what it writes.
inline float* target(const BlockPass& pass, std::size_t index) {
  return value(pass, index).place == shape::Value::Place::stream ? pass.output : pass.memory.values[index];
}

/// A parameter's values; null for none.
inline const float* values_of(const BlockPass& pass, const std::optional<shape::Parameter>& parameter) {
  return parameter ? pass.weights.values(pass.first + parameter->offset) : nullptr;
}

/// Forward of one part.
void forward(const BlockPass& pass, const shape::Part& part);

}  // namespace chainrule::model::decoder
