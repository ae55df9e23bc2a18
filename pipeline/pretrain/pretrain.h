#pragma once
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/run_directory.h"

namespace chainrule::pipeline::pretrain {

/// Starts a run, or goes on with one: done when it has taken all its steps, stopped_early when it was asked to stop and
/// has saved. configuration is what is remembered of the options; program names the build. Throws AgreedError for
/// everything that is found before the first step. Collective.
failure::ExitCode pretrain(const comm::Communicator& communicator, PretrainOptions options,
                           run::Configuration configuration, const std::string& program);

}  // namespace chainrule::pipeline::pretrain
