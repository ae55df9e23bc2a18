#include "pipeline/cli/manual/bash_completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace chainrule::pipeline::cli::manual {
namespace {

/// How the script completes a value: @files, @folders, words to choose from, or @other; and @many of them.
std::string completed(const std::string& value) {
  const std::string one = value.substr(0, value.find("..."));
  const std::string many = one == value ? "" : " @many";
  if (one.find('|') != std::string::npos) {
    std::string words = one;
    std::replace(words.begin(), words.end(), '|', ' ');
    return words + many;
  }
  if (one == "DIR") return "@folders" + many;
  constexpr std::string_view kFiles[] = {"PATH", "FILE", "NAME=PATH", "PART", "REPORT", "M", "T"};
  return (std::find(std::begin(kFiles), std::end(kFiles), one) != std::end(kFiles) ? "@files" : "@other") + many;
}

/// Lines of a `case` over "COMMAND ACTION" that set words.
std::string list_of_words(std::string_view name, std::string_view words) {
  return fmt::format("    '{}') words='{}' ;;\n", name, words);
}

std::string names_of(std::span<const CommandTable> commands) {
  std::string names;
  for (const CommandTable& command : commands) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

std::string options_of(const CommandTable& command) {
  std::string names;
  for (const OptionGroup& group : command.groups) {
    for (const OptionRow& row : group.rows) names += (names.empty() ? "--" : " --") + row.name;
  }
  return names;
}

/// Lines of a `case` over "COMMAND ACTION --OPTION" that set values.
std::string values_of(const std::string& name, const CommandTable& command) {
  std::string text;
  for (const OptionGroup& group : command.groups) {
    for (const OptionRow& row : group.rows) {
      const std::string option = row.name == command.nameless ? fmt::format("{} --{}' | '{} ", name, row.name, name)
                                                              : fmt::format("{} --{}", name, row.name);
      if (!row.value.empty()) text += fmt::format("    '{}') values='{}' ;;\n", option, completed(row.value));
    }
  }
  return text;
}

constexpr std::string_view kScript =
    R"(# Completion of chainrule for bash; made with the program from its tables of options.

# Sets words: the names that may come behind `chainrule COMMAND ACTION`.
_chainrule_words() {{
  words=''
  case $1 in
{}  esac
}}

# Sets values: what the value of `COMMAND ACTION --OPTION` may be: words, @files, @folders or @other; @many where there
# may be several. Nothing where the option takes none. Without --OPTION: of words without an option's name.
_chainrule_values() {{
  values=''
  case $1 in
{}  esac
}}

_chainrule() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} command='' option='' words values each
  for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $each in
      -*) option=$each ;;
      =) ;;
      *)
        if [ -n "$option" ]; then
          _chainrule_values "$command $option"
          [[ $values = *@many ]] || option=''
        else
          _chainrule_words "$command"
          [[ " $words " != *" $each "* ]] || command+=${{command:+ }}$each
        fi ;;
    esac
  done
  [ "$word" != = ] || word=''
  _chainrule_words "$command"
  _chainrule_values "$command $option"
  [ -n "$values" ] || _chainrule_values "$command "
  [[ $word != -* ]] || values=$words
  case ${{values:=$words}} in
    @files*)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    @folders*)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    @other*) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${{values% @many}}" -- "$word") ;;
  esac
}}

complete -F _chainrule chainrule
)";

}  // namespace

std::string bash_completion(std::span<const CommandTable> commands) {
  std::string words = list_of_words("", names_of(commands) + " --help --version");
  std::string values;
  for (const CommandTable& command : commands) {
    words += list_of_words(command.name,
                           command.actions.empty() ? options_of(command) : names_of(command.actions) + " --help");
    values += values_of(command.name, command);
    for (const CommandTable& action : command.actions) {
      const std::string name = command.name + " " + action.name;
      words += list_of_words(name, options_of(action));
      values += values_of(name, action);
    }
  }
  return fmt::format(kScript, words, values);
}

}  // namespace chainrule::pipeline::cli::manual
