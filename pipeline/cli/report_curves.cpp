#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/atomic_output.h"
#include "io/files/file_end.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/report.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"
#include "pipeline/watch/curves/curves_page.h"
#include "pipeline/watch/curves/run_history.h"

namespace chainrule::pipeline::cli {
namespace {

constexpr std::size_t kMostPageBytes = std::size_t{1} << 24;

/// A page is made again and again while a run goes on: it takes the place of its own kind, and of nothing else.
void require_replaceable(const std::filesystem::path& file) {
  const io::files::Presence presence = io::files::presence_of_itself(file);
  if (presence != io::files::Presence::absent) {
    const std::string beginning = watch::curves::page_beginning();
    const bool same_kind = presence == io::files::Presence::file &&
                           io::files::read_small_file(file, kMostPageBytes).starts_with(beginning);
    if (!same_kind) {
      throw io::Error(io::ErrorKind::cannot_create,
                      fmt::format("{} is already there and no page of this command; it is not overwritten",
                                  io::path_in_quotes(file)));
    }
  }
  try {
    io::files::make_place_for(file);
  } catch (const io::Error& error) {
    throw io::Error(error.kind(), fmt::format("{} (--output names another file)", error.what()));
  }
}

}  // namespace

failure::ExitCode run_report_curves(const Arguments& arguments) {
  std::vector<std::string> folders;
  std::string output;
  CommandOptions options(
      "chainrule report RUN [RUN ...] [--output FILE]",
      "Writes the curves of pretraining runs over each other as one web page that stands alone: loss, validation loss\n"
      "(also by source), learning rate, gradient norm, tokens/s; final values, events, options. It only reads what "
      "runs\n"
      "have written, also while they go on, and replaces a page of its own. Exit code 65: a file is damaged (it says\n"
      "where; a last line that was cut short is none); 66: a folder is no run; 73: the page cannot be written.");
  options.group("Runs").add_options()("run", po::value(&folders)->required()->value_name("RUN..."),
                                      "run directories, at most 16; the option's name may be left out");
  options.group("Output").add_options()("output", po::value(&output)->value_name("FILE"),
                                        "the page (default: report.html in the first run)");
  options.allow_positional("run", CommandOptions::kAnyNumber);
  if (!options.parse(arguments)) return failure::ExitCode::done;
  if (folders.size() > watch::curves::kMostRuns) {
    throw failure::Error(failure::ExitCode::usage, fmt::format("{} runs are given; a page shows at most {}",
                                                               folders.size(), watch::curves::kMostRuns));
  }
  std::vector<watch::curves::RunHistory> runs;
  const std::time_t now = std::time(nullptr);
  for (const std::string& folder : folders) runs.push_back(watch::curves::read_run(folder));
  const std::filesystem::path page = std::filesystem::path(output.empty() ? folders.front() + "/report.html" : output);
  require_replaceable(page);
  io::files::write_file_atomically(page,
                                   watch::curves::render_curves_page(runs, now, command_text("report", arguments)));
  run::print(fmt::format("page: {}\n", page.string()));
  return failure::ExitCode::done;
}

}  // namespace chainrule::pipeline::cli
