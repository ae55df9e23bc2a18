#include "pipeline/cli/command_table.h"

#include <utility>

namespace chainrule::pipeline::cli {
namespace {

CommandTable* table_asked_for = nullptr;  // commands know their options only while they run

}  // namespace

CommandTable* asked_table() { return table_asked_for; }

std::vector<CommandTable> tables_of(std::span<const Command> commands) {
  CommandTable* const outer = table_asked_for;
  std::vector<CommandTable> tables;
  for (const Command& command : commands) {
    CommandTable& table = tables.emplace_back();
    table.name = command.name;
    table.summary = command.summary;
    table_asked_for = &table;
    command.run({});
  }
  table_asked_for = outer;
  return tables;
}

}  // namespace chainrule::pipeline::cli
