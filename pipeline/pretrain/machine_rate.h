#pragma once
#include "model/shape/config.h"
#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pretrain {

/// Tokens a second at which training the model would take every multiply-add that all ranks can do at once in
/// registers, measured for some hundredths of a second: what a run's rate is held against. Collective.
double peak_tokens_per_second(const comm::Communicator& communicator, const model::shape::Config& config);

}  // namespace chainrule::pipeline::pretrain
