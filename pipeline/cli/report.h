#pragma once
#include "pipeline/cli/commands.h"

namespace chainrule::pipeline::cli {

/// The actions of `chainrule report`; arguments are the words after the action's name.
failure::ExitCode run_report_compare(const Arguments& arguments);
failure::ExitCode run_report_power(const Arguments& arguments);
failure::ExitCode run_report_merge(const Arguments& arguments);
failure::ExitCode run_report_runs(const Arguments& arguments);
failure::ExitCode run_report_curves(const Arguments& arguments);

}  // namespace chainrule::pipeline::cli
