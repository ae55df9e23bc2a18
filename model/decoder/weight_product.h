#pragma once
#include <cstdint>

#include "model/ops/linear.h"
#include "model/ops/ops.h"
#include "model/weights/weights.h"

namespace chainrule::model::decoder {

/// Runs op with the weight at an offset, whether it lies in an arena or as files store it; op's own weight is not read.
void multiply(ops::Ops& ops, const weights::Weights& weights, std::int64_t offset, ops::LinearForward op);

}  // namespace chainrule::model::decoder
