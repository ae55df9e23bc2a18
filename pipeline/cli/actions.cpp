#include "pipeline/cli/actions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/cli/command_table.h"
#include "pipeline/cli/options.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {
namespace {

void print_actions(std::string_view command, std::span<const Command> actions, const std::vector<std::string>& names) {
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string text = fmt::format("usage: chainrule {} {} [options]\n\n", command, fmt::join(names, "|"));
  for (const Command& action : actions) text += fmt::format("  {:<{}}  {}\n", action.name, width, action.summary);
  run::print(text + fmt::format("\nchainrule {} {} --help (and so on) lists the options.\n", command, names.front()));
}

}  // namespace

failure::ExitCode run_action(std::string_view command, std::span<const Command> actions, const Arguments& arguments) {
  if (CommandTable* const table = asked_table(); table != nullptr) {
    table->actions = tables_of(actions);
    return failure::ExitCode::done;
  }
  if (comm::launched_rank() != 0) return failure::ExitCode::done;
  std::vector<std::string> names;
  for (const Command& action : actions) names.emplace_back(action.name);
  const std::string all = fmt::format("{}", fmt::join(names, ", "));
  if (arguments.empty()) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("{}: say one of {}; see --help", command, all));
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h") {
    print_actions(command, actions, names);
    return failure::ExitCode::done;
  }
  for (const Command& action : actions) {
    if (action.name == name) return action.run({arguments.begin() + 1, arguments.end()});
  }
  const std::string near = nearest(name, names);
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("{}: '{}' is none of {}{}", command, name, all,
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace chainrule::pipeline::cli
