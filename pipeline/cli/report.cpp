// chainrule report compare | power | merge.
#include "pipeline/cli/report.h"

#include "pipeline/cli/actions.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_report(const Arguments& arguments) {
  static constexpr Command kActions[] = {
      {"compare", "reports over the same texts, document by document", run_report_compare},
      {"power", "how many documents tell a difference apart", run_report_power},
      {"merge", "the parts of an evaluation into the report of all of it", run_report_merge},
  };
  return run_action("report", kActions, arguments);
}

}  // namespace chainrule::pipeline::cli
