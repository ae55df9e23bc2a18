#pragma once
#include <memory>
#include <optional>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/pretrain/options.h"
#include "pipeline/run/configuration.h"

namespace chainrule::pipeline::cli {

/// What `chainrule pretrain` was asked for.
struct PretrainCommand {
  std::unique_ptr<CommandOptions> command;
  pretrain::PretrainOptions options;
  run::Configuration configuration;  ///< every option with its value, as a run keeps them
};

/// Empty where help was asked for and printed. Throws Error (usage).
std::optional<PretrainCommand> parse_pretrain(const Arguments& arguments);

}  // namespace chainrule::pipeline::cli
