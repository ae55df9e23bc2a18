// chainrule report RUN | curves | runs | compare | power | merge.
#include "pipeline/cli/report.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "pipeline/cli/actions.h"
#include "pipeline/cli/options.h"

namespace chainrule::pipeline::cli {
namespace {

constexpr Command kReportActions[] = {
    {"curves", "curves and events of pretraining runs as a page; its name may be left out: report RUN",
     run_report_curves},
    {"runs", "the pretraining runs in folders: state, step, loss, rate, last sign of life", run_report_runs},
    {"compare", "reports over the same texts, document by document", run_report_compare},
    {"power", "how many documents tell a difference apart", run_report_power},
    {"merge", "the parts of an evaluation into the report of all of it", run_report_merge},
};

/// Whether the words `report RUN ...` mean `report curves RUN ...`: the first is an option of that action, or a
/// folder's name rather than a mistyped action.
bool names_a_run(const std::string& word) {
  if (word == "--output" || word.starts_with("--output=") || word == "--run" || word.starts_with("--run=")) return true;
  if (word.starts_with('-')) return false;
  std::vector<std::string> names;
  for (const Command& action : kReportActions) names.emplace_back(action.name);
  if (std::find(names.begin(), names.end(), word) != names.end()) return false;
  std::error_code error;
  return std::filesystem::exists(word, error) || word.find('/') != std::string::npos || nearest(word, names).empty();
}

/// `report --runs DIR` and `report --runs=DIR` are `report runs DIR`; `report RUN` is `report curves RUN`.
Arguments with_action(Arguments arguments) {
  constexpr std::string_view kRunsOption = "--runs";
  if (arguments.empty()) return arguments;
  if (names_a_run(arguments.front())) {
    arguments.insert(arguments.begin(), "curves");
    return arguments;
  }
  if (!arguments.front().starts_with(kRunsOption)) return arguments;
  const std::string rest = arguments.front().substr(kRunsOption.size());
  if (!rest.empty() && rest[0] != '=') return arguments;
  arguments.front() = "runs";
  if (!rest.empty()) arguments.insert(arguments.begin() + 1, rest.substr(1));
  return arguments;
}

}  // namespace

failure::ExitCode run_report(const Arguments& arguments) {
  return run_action("report", kReportActions, with_action(arguments));
}

}  // namespace chainrule::pipeline::cli
