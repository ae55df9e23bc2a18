#include "pipeline/cli/commands.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {

ExitCode run_pack(const Arguments&) { throw Error(ExitCode::internal, "pack: not built yet"); }

}  // namespace chainrule::pipeline::cli
