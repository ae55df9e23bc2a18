#pragma once
#include <cstdint>

#include "model/shape/parameters.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

/// How far backward runs ahead of the exchange in ZeroStage::two, whose pages are given back once they are summed: on a
/// slow network all of the arena would be in memory otherwise. As little as hides the exchange: the gradients of a
/// layer travel while those of the next are computed.
struct BackwardWindow {
  std::int64_t most_ahead = 0;  ///< see StepExchangeOptions
  std::int64_t elements = 0;    ///< of the arena that are in memory at a time, at most
};

BackwardWindow backward_window(const model::shape::ParameterTable& table, const Ownership& ownership);

}  // namespace chainrule::pipeline::pretrain::exchange
