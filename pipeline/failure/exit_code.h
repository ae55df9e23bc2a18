#pragma once

namespace chainrule::pipeline::failure {

/// Exit codes of every command, after sysexits.h.
enum class ExitCode : int {
  done = 0,
  usage = 64,          ///< also an option that contradicts a resumed run, a context longer than the model's
  bad_data = 65,       ///< also model and data of different tokenizers, nothing to score, non-finite results
  missing_input = 66,  ///< missing or unreadable input
  internal = 70,
  out_of_memory = 71,
  cannot_create = 73,  ///< also a folder already in use
  input_output = 74,
  stopped_early = 75,  ///< stopped with a checkpoint: requeue me
};

}  // namespace chainrule::pipeline::failure
