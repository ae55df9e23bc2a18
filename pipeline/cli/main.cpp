// The one place that turns exceptions into a message and an exit code.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/options.h"
#include "pipeline/cli/version.h"
#include "pipeline/comm/session.h"
#include "pipeline/failure/error.h"
#include "pipeline/run/standard_streams.h"

namespace {

using namespace chainrule::pipeline;

void print_help() {
  std::string text =
      "chainrule: distributed pretraining and perplexity evaluation of decoder-only language models\n\n"
      "usage: chainrule COMMAND [options]     (alone, under mpirun, or under srun)\n\ncommands:\n";
  for (const auto& command : cli::commands()) text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  print(text + "\n  chainrule COMMAND --help lists a command's options; chainrule --version names the build.\n");
}

ExitCode run(const std::vector<std::string>& words) {
  if (words.empty()) {
    if (launched_rank() == 0) print_help();
    throw Error(ExitCode::usage, "no command given");
  }
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") {
    if (launched_rank() == 0) print_help();
    return ExitCode::done;
  }
  if (name == "--version") {
    if (launched_rank() == 0) print(fmt::format("{}\n", cli::version_text()));
    return ExitCode::done;
  }
  std::vector<std::string> names;
  for (const auto& command : cli::commands()) {
    if (command.name == name) return command.run({words.begin() + 1, words.end()});
    names.emplace_back(command.name);
  }
  const std::string near = cli::nearest(name, names);
  throw Error(ExitCode::usage,
              fmt::format("unknown command '{}'{}", name,
                          near.empty() ? "; see chainrule --help" : fmt::format("; did you mean '{}'?", near)));
}

/// Agreed failures, and usage mistakes found before MPI starts, are the same on every rank: one rank speaks and all
/// return the code. Anything else this rank alone may know: it speaks, and takes the others down with it.
ExitCode report(const std::exception_ptr& exception) {
  const Failure failure = describe(exception);
  bool everyone_knows = failure.code == ExitCode::usage && !Session::running();
  try {
    std::rethrow_exception(exception);
  } catch (const AgreedError&) {
    everyone_knows = true;
  } catch (...) {  // described above
  }
  if (!everyone_knows && launched_size() > 1) {
    say(fmt::format("chainrule: rank {}: {}\n", launched_rank(), failure.message));
  } else if (launched_rank() == 0) {
    say(fmt::format("chainrule: {}\n", failure.message));
  }
  std::fflush(nullptr);
  // A launcher ends the job with the first rank that fails: let it not be before rank 0 has spoken.
  if (!Session::running() && launched_rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (Session::running()) {
    if (!everyone_knows) Session::abort(static_cast<int>(failure.code));
    Session::end();
  }
  return failure.code;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  try {
    return static_cast<int>(run({argv + 1, argv + argc}));
  } catch (...) {
    return static_cast<int>(report(std::current_exception()));
  }
}
