#include "pipeline/pretrain/pretrain.h"

#include "pipeline/cli/commands.h"
#include "pipeline/cli/pretrain_command.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/session.h"
#include "pipeline/run/signals.h"
#include "pipeline/run/watchdog.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_pretrain(const Arguments& arguments) {
  run::catch_stop_signals();
  const std::optional<PretrainCommand> asked = parse_pretrain(arguments);
  if (!asked) return failure::ExitCode::done;
  const comm::Session session;
  asked->command->require_same(session.world());
  return run::watched(session.world(), [&] {
    return pretrain::pretrain(session.world(), asked->options, asked->configuration, version_text());
  });
}

}  // namespace chainrule::pipeline::cli
