#include "pipeline/cli/commands.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {

ExitCode run_pretrain(const Arguments&) { throw Error(ExitCode::internal, "pretrain: not built yet"); }

}  // namespace chainrule::pipeline::cli
