#pragma once

namespace chainrule::pipeline::pretrain::exchange {

/// What ranks divide among themselves (ZeRO; Rajbhandari and others 2020). The order in which gradients are added
/// differs, and so their bits.
enum class ZeroStage {
  one = 1,  ///< optimizer state: each rank sums its micro-batches' gradients whole, ranks add them once a step
  two = 2,  ///< and sums of gradients: ranks add them after each micro-batch
};

}  // namespace chainrule::pipeline::pretrain::exchange
