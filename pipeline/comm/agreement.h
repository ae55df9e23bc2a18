#pragma once
#include <functional>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::comm {

/// Runs work on every rank (it makes no collective calls) and lets them agree on the outcome: where any rank threw,
/// every rank throws the same AgreedError, the lowest failing rank's. For everything that is checked before the long
/// loops, so that a mistake gives one message and one exit code. Collective.
void agree(const Communicator& communicator, const std::function<void()>& work);

/// As agree, work on rank 0 only.
void agree_on_first(const Communicator& communicator, const std::function<void()>& work);

}  // namespace chainrule::pipeline::comm
