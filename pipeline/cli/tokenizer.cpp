#include "pipeline/cli/commands.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {

ExitCode run_tokenizer(const Arguments&) { throw Error(ExitCode::internal, "tokenizer: not built yet"); }

}  // namespace chainrule::pipeline::cli
