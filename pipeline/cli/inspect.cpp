#include "pipeline/cli/commands.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {

ExitCode run_inspect(const Arguments&) { throw Error(ExitCode::internal, "inspect: not built yet"); }

}  // namespace chainrule::pipeline::cli
