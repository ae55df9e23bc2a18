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
      "Says what a data set, token shard, tokenizer, checkpoint, run directory, or part or journal of an evaluation\n"
      "is, and verifies every checksum; says of a report its headline, and of a model of another system what it is\n"
      "and how its weights are stored.\n"
      "Exit code 0: all is well; 65: damaged, or nothing that chainrule reads.");
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
    const std::string verified = description.contains("encodings") ? "every tensor is there in its shape; no checksums"
                                 : description.contains("perplexity")
                                     ? "nothing in report.json contradicts the rest of it; no checksums"
                                     : "every checksum verified";
    run::print(inspect::as_text(description) + verified + "\n");
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
