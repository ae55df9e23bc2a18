#include "pipeline/inspect/inspect.h"

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/comm/session.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_inspect(const Arguments& arguments) {
  std::string path;
  bool json = false;
  CommandOptions options(
      "chainrule inspect PATH [--json]",
      "Says what a data set, token shard, tokenizer, checkpoint or run directory is, and verifies "
      "every checksum; says of a model of another system what it is and how its weights are stored.\nExit "
      "code 0: all is well; 65: damaged, or nothing that chainrule reads.");
  options.group("Inspection")
      .add_options()("path", po::value(&path)->required()->value_name("PATH"),
                     "file or folder; the option's name may be left out")("json", po::bool_switch(&json), "print JSON");
  options.allow_positional("path");
  if (!options.parse(arguments)) return failure::ExitCode::done;
  if (comm::launched_rank() != 0) return failure::ExitCode::done;  // one rank's work
  const auto description = inspect::inspect(path);
  if (json) {
    run::print(io::files::json_text(description, 2) + "\n");
  } else {
    const bool has_checksums = !description.contains("encodings");
    run::print(inspect::as_text(description) +
               (has_checksums ? "every checksum verified\n" : "every tensor is there in its shape; no checksums\n"));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
