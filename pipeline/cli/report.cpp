// chainrule report compare | power | merge | runs.
#include "pipeline/cli/report.h"

#include "pipeline/cli/actions.h"

namespace chainrule::pipeline::cli {
namespace {

constexpr std::string_view kRunsOption = "--runs";

/// `report --runs DIR` and `report --runs=DIR` are `report runs DIR`.
Arguments with_action(Arguments arguments) {
  if (arguments.empty() || !arguments.front().starts_with(kRunsOption)) return arguments;
  const std::string rest = arguments.front().substr(kRunsOption.size());
  if (!rest.empty() && rest[0] != '=') return arguments;
  arguments.front() = "runs";
  if (!rest.empty()) arguments.insert(arguments.begin() + 1, rest.substr(1));
  return arguments;
}

}  // namespace

failure::ExitCode run_report(const Arguments& arguments) {
  static constexpr Command kActions[] = {
      {"compare", "reports over the same texts, document by document", run_report_compare},
      {"power", "how many documents tell a difference apart", run_report_power},
      {"merge", "the parts of an evaluation into the report of all of it", run_report_merge},
      {"runs", "the pretraining runs in folders: state, step, loss, rate, last sign of life", run_report_runs},
  };
  return run_action("report", kActions, with_action(arguments));
}

}  // namespace chainrule::pipeline::cli
