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
#include "pipeline/run/process.h"
#include "pipeline/run/standard_streams.h"

namespace {

using namespace chainrule::pipeline;

void print_help() {
  std::string text =
      "chainrule: distributed pretraining and perplexity evaluation of decoder-only language models\n\n"
      "usage: chainrule COMMAND [options]     (alone, under mpirun, or under srun)\n\ncommands:\n";
  for (const auto& command : cli::commands()) text += fmt::format("  {:<12}{}\n", command.name, command.summary);
  run::print(text + "\n  chainrule COMMAND --help lists a command's options; chainrule --version names the build.\n");
}

failure::ExitCode run_command(const std::vector<std::string>& words) {
  if (words.empty()) {
    if (comm::launched_rank() == 0) print_help();
    throw failure::Error(failure::ExitCode::usage, "no command given");
  }
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") {
    if (comm::launched_rank() == 0) print_help();
    return failure::ExitCode::done;
  }
  if (name == "--version") {
    if (comm::launched_rank() == 0) run::print(fmt::format("{}\n", cli::version_text()));
    return failure::ExitCode::done;
  }
  std::vector<std::string> names;
  for (const auto& command : cli::commands()) {
    if (command.name == name) return command.run({words.begin() + 1, words.end()});
    names.emplace_back(command.name);
  }
  const std::string near = cli::nearest(name, names);
  throw failure::Error(failure::ExitCode::usage, fmt::format("unknown command '{}'{}", name,
                                                             near.empty() ? "; see chainrule --help"
                                                                          : fmt::format("; did you mean '{}'?", near)));
}

/// Agreed failures, and usage mistakes found before MPI starts, are the same on every rank: one rank speaks and all
/// return the code. Anything else this rank alone may know: it speaks, and takes the others down with it.
failure::ExitCode report(const std::exception_ptr& exception) {
  const failure::Failure failure = failure::describe(exception);
  bool everyone_knows = failure.code == failure::ExitCode::usage && !comm::Session::running();
  try {
    std::rethrow_exception(exception);
  } catch (const failure::AgreedError&) {
    everyone_knows = true;
  } catch (const failure::RankError&) {
    everyone_knows = false;
  } catch (...) {  // described above
  }
  if (!everyone_knows && comm::launched_size() > 1) {
    run::say_failure(fmt::format("rank {}: {}", comm::launched_rank(), failure.message));
  } else if (comm::launched_rank() == 0) {
    run::say_failure(failure.message);
  }
  std::fflush(nullptr);
  // A launcher ends the job with the first rank that fails: let it not be before rank 0 has spoken.
  if (!comm::Session::running() && comm::launched_rank() != 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  if (comm::Session::running()) {
    if (!everyone_knows) comm::Session::abort(static_cast<int>(failure.code));
    comm::Session::end();
  }
  return failure.code;
}

}  // namespace

int main(int argc, char** argv) {
  run::occupy_standard_streams();
  try {
    run::prepare_process();
    return static_cast<int>(run_command({argv + 1, argv + argc}));
  } catch (...) {
    return static_cast<int>(report(std::current_exception()));
  }
}
