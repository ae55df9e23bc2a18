#pragma once
#include "pipeline/cli/commands.h"

namespace chainrule::pipeline::cli {

/// The actions of `chainrule tokenizer`; arguments are the words after the action's name.
failure::ExitCode run_tokenizer_train(const Arguments& arguments);
failure::ExitCode run_tokenizer_encode(const Arguments& arguments);
failure::ExitCode run_tokenizer_decode(const Arguments& arguments);

}  // namespace chainrule::pipeline::cli
