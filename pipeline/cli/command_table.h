#pragma once
#include <span>
#include <string>
#include <vector>

#include "pipeline/cli/commands.h"

namespace chainrule::pipeline::cli {

/// One option as --help lists it.
struct OptionRow {
  std::string name;    ///< "micro-batch", without its dashes
  char letter = '\0';  ///< of -h; 0 where there is none
  std::string value;   ///< what stands for its value: "FILE", or words to choose from: "float32|bf16"; empty: none
  std::string default_value;  ///< empty: none
  std::string description;
};

struct OptionGroup {
  std::string caption;
  std::vector<OptionRow> rows;
};

/// What --help says of a command, for whatever else lists it: manual pages, completion. A command has options or
/// actions.
struct CommandTable {
  std::string name;
  std::string summary;      ///< its line in the list of commands
  std::string usage;        ///< "chainrule pack --tokenizer T ..."
  std::string description;  ///< lines of prose
  std::vector<OptionGroup> groups;
  std::string nameless;  ///< the option whose name may be left out: of `inspect PATH` "path"; empty: none
  std::vector<CommandTable> actions;
};

/// The tables of commands, which are asked for them and do nothing else.
std::vector<CommandTable> tables_of(std::span<const Command> commands);

/// Within tables_of(): what the command that is asked fills in before it returns. Null while commands run.
CommandTable* asked_table();

}  // namespace chainrule::pipeline::cli
