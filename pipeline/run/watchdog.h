#pragma once
#include <functional>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::run {

/// Does work that all ranks do together, and meanwhile lets each rank watch the next one: where a rank dies or hangs,
/// the one before it says which, on which host and at what (see Activity), and ends the job with exit code internal
/// within half a minute, also where the launcher would not. Whatever suspends all ranks is of no account. Throws what
/// work threw; where that is known to this rank alone, the others end with its exit code. Collective.
failure::ExitCode watched(const comm::Communicator& communicator, const std::function<failure::ExitCode()>& work);

}  // namespace chainrule::pipeline::run
