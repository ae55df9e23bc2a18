#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/decoder/decoder.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/comm/exact_sum.h"
#include "pipeline/windows/windows.h"

namespace chainrule::pipeline::pretrain {

/// Sum of nats over all of windows, each token scored once, shared over ranks by batches of micro_batch windows of one
/// shape: the same bits for any number of ranks. Collective.
comm::ExactSum validate_model(const comm::Communicator& communicator, model::decoder::Decoder& decoder,
                              std::span<const float> parameters, const windows::Windows& windows,
                              std::int64_t micro_batch);

/// What one source is validated on.
struct ValidationSet {
  std::string name;  ///< of the source; empty where there is no mix
  windows::Windows windows;
};

/// Means over tokens; not a number where a token's loss is not finite.
struct ValidationLoss {
  double nats = 0;                                    ///< over all sets' tokens
  std::vector<std::pair<std::string, double>> named;  ///< each named set's, in nats
};

/// validate_model() of each of the sets, of which there is at least one. Collective.
ValidationLoss validate_sets(const comm::Communicator& communicator, model::decoder::Decoder& decoder,
                             std::span<const float> parameters, std::span<const ValidationSet> sets,
                             std::int64_t micro_batch);

}  // namespace chainrule::pipeline::pretrain
