#pragma once
#include <functional>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/options.h"
#include "pipeline/failure/exit_code.h"
#include "pipeline/job/account.h"
#include "pipeline/run/environment.h"

namespace chainrule::pipeline::evaluate {

/// As evaluate(), by every protocol in turn: model and data are opened once, joined text is encoded once, and protocols
/// of the same windows over the same text are scored once. Each has a journal, REPORT.PROTOCOL.journal, until the
/// report folder is in its place with a folder a protocol and protocols.json. Protocols that cannot score the data are
/// listed with the reason; where none can, that is bad_data. What it costs is said by account. Collective.
failure::ExitCode evaluate_all(const comm::Communicator& communicator, const EvaluateOptions& options,
                               const run::Environment& environment, job::Account& account,
                               const std::function<bool()>& stop);

}  // namespace chainrule::pipeline::evaluate
