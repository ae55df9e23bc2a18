#pragma once
#include <cstdint>

#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/options.h"

namespace chainrule::pipeline::pretrain {

/// Elements of gradients, and of room for those of other ranks, on the rank that needs the most in a run's largest
/// step.
std::int64_t gradient_elements(const PretrainOptions& options, const model::shape::ParameterTable& table,
                               const model::shape::Config& config, const exchange::Ownership& ownership);

}  // namespace chainrule::pipeline::pretrain
