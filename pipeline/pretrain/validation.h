#pragma once
#include <cstdint>
#include <span>

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

}  // namespace chainrule::pipeline::pretrain
