// chainrule tokenizer train | encode | decode: one process, whatever the launcher started.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/tokenizer.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {
namespace {

struct Action {
  std::string_view name;
  std::string_view summary;
  failure::ExitCode (*run)(const Arguments& arguments);
};

constexpr std::array kActions = {
    Action{"train", "learn a byte-level BPE tokenizer from text", run_tokenizer_train},
    Action{"encode", "text to token ids", run_tokenizer_encode},
    Action{"decode", "token ids to text", run_tokenizer_decode},
};

void print_actions() {
  std::string text = "usage: chainrule tokenizer train|encode|decode [options]\n\n";
  for (const auto& action : kActions) text += fmt::format("  {:<8}{}\n", action.name, action.summary);
  run::print(text + "\nchainrule tokenizer train --help (and so on) lists the options.\n");
}

}  // namespace

failure::ExitCode run_tokenizer(const Arguments& arguments) {
  if (comm::launched_rank() != 0) return failure::ExitCode::done;
  std::vector<std::string> names;
  for (const auto& action : kActions) names.emplace_back(action.name);
  if (arguments.empty())
    throw failure::Error(failure::ExitCode::usage, "tokenizer: say train, encode or decode; see --help");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h") {
    print_actions();
    return failure::ExitCode::done;
  }
  for (const auto& action : kActions) {
    if (action.name == name) return action.run({arguments.begin() + 1, arguments.end()});
  }
  const std::string near = nearest(name, names);
  throw failure::Error(failure::ExitCode::usage,
                       fmt::format("tokenizer: '{}' is none of train, encode and decode{}", name,
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace chainrule::pipeline::cli
