#pragma once
#include <string_view>

namespace chainrule::pipeline::failure {

/// Exit codes of every command, after sysexits.h.
enum class ExitCode : int {
  done = 0,
  usage = 64,
  bad_data = 65,
  missing_input = 66,
  internal = 70,
  out_of_memory = 71,
  cannot_create = 73,
  input_output = 74,
  stopped_early = 75,
};

/// What each stands for, as the manual says it.
inline constexpr struct {
  ExitCode code;
  std::string_view meaning;
} kExitCodes[] = {
    {ExitCode::done, "done"},
    {ExitCode::usage,
     "usage: also an option that contradicts a resumed run, a context longer than the model's, more ranks than lanes"},
    {ExitCode::bad_data,
     "bad data: a damaged file, model and data of different tokenizers, nothing to score, non-finite results"},
    {ExitCode::missing_input, "missing or unreadable input"},
    {ExitCode::internal, "internal error"},
    {ExitCode::out_of_memory, "out of memory"},
    {ExitCode::cannot_create, "cannot create; also a folder that is already in use"},
    {ExitCode::input_output, "the system failed to read or write"},
    {ExitCode::stopped_early, "stopped early with a checkpoint: run the same command again"},
};

}  // namespace chainrule::pipeline::failure
