#include "pipeline/cli/command_table.h"

#include <utility>

namespace chainrule::pipeline::cli {
namespace {

CommandTable* asked = nullptr;  // commands know their options only while they run

}  // namespace

CommandTable* asked_table() { return asked; }

std::vector<CommandTable> tables_of(std::span<const Command> commands) {
  CommandTable* const outer = asked;
  std::vector<CommandTable> tables;
  for (const Command& command : commands) {
    CommandTable& table = tables.emplace_back();
    table.name = command.name;
    table.summary = command.summary;
    asked = &table;
    command.run({});
  }
  asked = outer;
  return tables;
}

}  // namespace chainrule::pipeline::cli
