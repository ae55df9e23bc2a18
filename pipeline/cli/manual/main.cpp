// chainrule_manual DIR VERSION: writes manual pages and the completion for bash, made from the tables of options that
// the commands have themselves. Part of the build; not installed.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>

#include "io/files/atomic_file.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/manual/bash_completion.h"
#include "pipeline/cli/manual/manual_page.h"

int main(int argc, char** argv) {
  using namespace chainrule::pipeline::cli;
  try {
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    if (words.size() != 3) throw std::invalid_argument("usage: chainrule_manual DIR VERSION");
    const std::filesystem::path folder = words[1];
    const std::vector<CommandTable> tables = tables_of(commands());
    std::filesystem::create_directories(folder / "man1");
    const auto write = [&](const std::string& file, const std::string& text) {
      chainrule::io::files::write_file_atomically(folder / file, text);
    };
    write("man1/chainrule.1", manual::manual_page(tables, words[2]));
    for (const CommandTable& table : tables) {
      write(fmt::format("man1/chainrule-{}.1", table.name), manual::manual_page(table, words[2]));
    }
    write("chainrule.bash", manual::bash_completion(tables));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "chainrule_manual: {}\n", error.what());
    return 70;
  }
}
