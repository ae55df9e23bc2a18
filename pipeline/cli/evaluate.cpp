#include "pipeline/cli/commands.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {

ExitCode run_evaluate(const Arguments&) { throw Error(ExitCode::internal, "evaluate: not built yet"); }

}  // namespace chainrule::pipeline::cli
