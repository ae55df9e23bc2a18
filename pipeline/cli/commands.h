#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::cli {

/// The words after the command's name.
using Arguments = std::vector<std::string>;

/// How a command was called, as a shell takes it again: "chainrule evaluate --model 'a b'".
std::string command_text(std::string_view command, const Arguments& arguments);

/// One command of the program. run throws on failure; what it returns is the exit code.
struct Command {
  std::string_view name;
  std::string_view summary;  ///< one line for `chainrule --help`
  failure::ExitCode (*run)(const Arguments& arguments);
};

/// Every command, in the order of the help.
std::span<const Command> commands();

failure::ExitCode run_tokenizer(const Arguments& arguments);
failure::ExitCode run_pack(const Arguments& arguments);
failure::ExitCode run_export(const Arguments& arguments);
failure::ExitCode run_pretrain(const Arguments& arguments);
failure::ExitCode run_verify_run(const Arguments& arguments);
failure::ExitCode run_evaluate(const Arguments& arguments);
failure::ExitCode run_report(const Arguments& arguments);
failure::ExitCode run_score(const Arguments& arguments);
failure::ExitCode run_next(const Arguments& arguments);
failure::ExitCode run_generate(const Arguments& arguments);
failure::ExitCode run_convert(const Arguments& arguments);
failure::ExitCode run_inspect(const Arguments& arguments);
failure::ExitCode run_benchmark(const Arguments& arguments);

}  // namespace chainrule::pipeline::cli
