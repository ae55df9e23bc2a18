#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "pipeline/comm/communicator.h"
#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::comm {

/// Runs work on every rank (it makes no collective calls) and lets them agree on the outcome: where any rank threw,
/// every rank throws the same AgreedError, the lowest failing rank's. For everything that is checked before the long
/// loops, so that a mistake gives one message and one exit code. Collective.
void agree(const Communicator& communicator, const std::function<void()>& work);

/// As agree, work on rank 0 only.
void agree_on_first(const Communicator& communicator, const std::function<void()>& work);

/// Compares what each rank has for itself with rank 0's: where one differs, every rank throws the same AgreedError with
/// this code, which names the lowest such rank, what differs ("the data set's fingerprint") and both values. For
/// everything that ranks read or were told and that results depend on. Collective.
void require_same(const Communicator& communicator, failure::ExitCode code, std::string_view what,
                  const std::string& value);

}  // namespace chainrule::pipeline::comm
