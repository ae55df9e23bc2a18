#include <fmt/format.h>

#include <string>
#include <vector>

#include "pipeline/cli/options.h"
#include "pipeline/cli/report.h"
#include "pipeline/cli/version.h"
#include "pipeline/cli/write_option.h"
#include "pipeline/evaluate/merge_parts.h"
#include "pipeline/evaluate/report/render.h"
#include "pipeline/evaluate/results.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_report_merge(const Arguments& arguments) {
  std::vector<std::string> parts;
  std::string report;
  std::string data;
  bool keep_tokens = false;
  bool allow_nonfinite = false;
  CommandOptions options("chainrule report merge PART... --report DIR [options]",
                         "Makes the report of an evaluation of its parts (chainrule evaluate --part I/N): the same "
                         "bytes as one run gives,\nbut for environment.json. Exit code 65: a part is damaged, missing, "
                         "given twice or of another evaluation.");
  options.group("Parts").add_options()("part", po::value(&parts)->required()->value_name("PART..."),
                                       "all parts, in any order; the option's name may be left out")(
      "data", po::value(&data)->value_name("PATH"), "where the data set lies now (default: where it lay)")(
      "allow-nonfinite", po::bool_switch(&allow_nonfinite), "tokens without a finite result are no failure");
  po::options_description& output_group = options.group("Output");
  output_group.add_options()("report", po::value(&report)->required()->value_name("DIR"),
                             "folder to write; must not exist, or be empty")("token-nll", po::bool_switch(&keep_tokens),
                                                                             "keep every token's score in tokens.h5");
  WriteOption write;
  write.add_to(output_group);
  options.allow_positional("part", CommandOptions::kAnyNumber);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  const evaluate::report::EvaluationReport merged = evaluate::merge_parts({{parts.begin(), parts.end()},
                                                                           report,
                                                                           keep_tokens,
                                                                           command_text("report merge", arguments),
                                                                           data,
                                                                           write.chosen()},
                                                                          version_text());
  run::print(fmt::format("{}\nreport: {}\n", evaluate::report::render_table(merged), report));
  if (const std::uint64_t nonfinite = merged.overall.nonfinite_tokens; nonfinite != 0 && !allow_nonfinite) {
    throw failure::Error(failure::ExitCode::bad_data, evaluate::nonfinite_message(nonfinite, report));
  }
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
