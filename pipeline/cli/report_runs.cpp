#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/files/json_text.h"
#include "pipeline/cli/new_file.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/report.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/watch/find_runs.h"
#include "pipeline/watch/render.h"
#include "pipeline/watch/run_status.h"
#include "pipeline/watch/runs_page.h"

namespace chainrule::pipeline::cli {

failure::ExitCode run_report_runs(const Arguments& arguments) {
  std::vector<std::string> folders;
  bool json = false;
  std::string page_path;
  CommandOptions options("chainrule report runs DIR... [options]",
                         "Lists the pretraining runs in folders and up to three folders below, with what their files "
                         "say: running, waiting\nfor a job of jobs/submit.sh, stopped, finished or damaged (and why), "
                         "step, loss, rate and last sign of life. It only reads,\nand asks no scheduler. Exit code 0 "
                         "also where runs are damaged; 66: a folder is not there, or cannot be listed.");
  options.group("Runs").add_options()("dir", po::value(&folders)->required()->value_name("DIR..."),
                                      "folders with runs, or runs; the option's name may be left out");
  options.group("Output").add_options()("json", po::bool_switch(&json), "print JSON")(
      "html", po::value(&page_path)->value_name("FILE"), "also write them as a web page");
  options.allow_positional("dir", CommandOptions::kAnyNumber);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  std::optional<NewFile> page;
  if (options.given("html")) page.emplace("--html", page_path);
  std::vector<watch::RunStatus> runs;
  for (const std::string& folder : folders) {
    for (const watch::RunPlace& place : watch::find_runs(folder)) runs.push_back(watch::look_at_run(place));
  }
  const std::time_t now = std::time(nullptr);
  run::print(json ? io::files::json_text(watch::to_json(runs, now), 2) + "\n" : watch::as_text(runs, now));
  if (page) page->write(watch::render_runs_page(runs, now, command_text("report runs", arguments)));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
