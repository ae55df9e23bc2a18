#pragma once
#include <cstdint>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/configuration.h"

namespace chainrule::pipeline::pretrain {

/// Which steps of a run are taken once more: those behind the checkpoint of `from`.
struct Replay {
  std::int64_t from = 0;
  std::int64_t steps = 0;
};

/// Takes them, and compares each with its line of metrics.jsonl and the weights with the hashes there, in every bit.
/// options and configuration are the run's own. Writes nothing, and does not mind who works on the run. Throws
/// AgreedError: bad_data where something differs, missing_input where the checkpoint is not there, usage where the run
/// has not come so far. Collective.
failure::ExitCode verify_run(const comm::Communicator& communicator, PretrainOptions options,
                             run::Configuration configuration, const Replay& replay, const std::string& program);

}  // namespace chainrule::pipeline::pretrain
