// chainrule report merge.
#include "pipeline/cli/report.h"

#include "pipeline/cli/actions.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_report(const Arguments& arguments) {
  static constexpr Command kActions[] = {
      {"merge", "the parts of an evaluation into the report of all of it", run_report_merge},
  };
  return run_action("report", kActions, arguments);
}

}  // namespace chainrule::pipeline::cli
