#include "pipeline/cli/manual/manual_page.h"

#include <fmt/format.h>

#include "pipeline/failure/exit_code.h"

namespace chainrule::pipeline::cli::manual {
namespace {

/// Text that roff shows as it is: ASCII signs that it would take for typography, and lines that begin like a request.
std::string plain(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char each : text) {
    if (line_begins && (each == '.' || each == '\'')) escaped += "\\&";
    switch (each) {
      case '\\': escaped += "\\(rs"; break;
      case '-': escaped += "\\-"; break;
      case '\'': escaped += "\\(aq"; break;
      case '`': escaped += "\\(ga"; break;
      case '^': escaped += "\\(ha"; break;
      case '~': escaped += "\\(ti"; break;
      case '"': escaped += "\\(dq"; break;
      default: escaped += each;
    }
    line_begins = each == '\n';
  }
  return escaped;
}

std::string title(std::string_view name, std::string_view version) {
  std::string upper(name);
  for (char& each : upper) each = static_cast<char>(each >= 'a' && each <= 'z' ? each - 'a' + 'A' : each);
  return fmt::format(".TH \"{}\" 1 \"\" \"chainrule {}\" \"chainrule\"\n.ad l\n.nh\n", plain(upper), plain(version));
}

/// Prose that was broken for a terminal, to be broken anew: at the start of a line spaces would break it.
std::string prose(std::string_view text) {
  std::string filled;
  for (const char each : text) {
    if (each != ' ' || (!filled.empty() && filled.back() != '\n')) filled += each;
  }
  return plain(filled) + "\n";
}

/// What stands for a value; words to choose from may be broken between them.
std::string value_of(const OptionRow& row) {
  std::string text;
  for (const char each : row.value) text += each == '|' ? "|\\:" : plain(std::string_view(&each, 1));
  return text;
}

std::string option(const OptionRow& row) {
  std::string text = ".TP\n";
  if (row.letter != '\0') text += fmt::format("\\fB\\-{}\\fR, ", row.letter);
  text += fmt::format("\\fB\\-\\-{}\\fR", plain(row.name));
  if (!row.value.empty()) text += fmt::format(" \\fI{}\\fR", value_of(row));
  if (!row.default_value.empty()) text += fmt::format(" (={})", plain(row.default_value));
  return text + "\n" + prose(row.description);
}

std::string options(const CommandTable& command) {
  std::string text;
  for (const OptionGroup& group : command.groups) {
    text += fmt::format(".SS \"{}\"\n", plain(group.caption));
    for (const OptionRow& row : group.rows) text += option(row);
  }
  return text;
}

std::string exit_codes() {
  std::string text = ".SH \"EXIT STATUS\"\n";
  for (const auto& [code, meaning] : failure::kExitCodes) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", static_cast<int>(code), plain(meaning));
  }
  return text;
}

}  // namespace

std::string manual_page(std::span<const CommandTable> commands, std::string_view version) {
  std::string text = title("chainrule", version);
  text +=
      ".SH NAME\nchainrule \\- distributed pretraining and perplexity evaluation of decoder\\-only language models\n"
      ".SH SYNOPSIS\n.B chainrule\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
      "Each command runs alone, under \\fBmpirun\\fR or under \\fBsrun\\fR, and has a page of its own.\n"
      ".SH COMMANDS\n";
  for (const CommandTable& command : commands) {
    text += fmt::format(".TP\n\\fBchainrule\\-{}\\fR(1)\n{}\n", plain(command.name), plain(command.summary));
  }
  text +=
      ".SH OPTIONS\n.TP\n\\fB\\-\\-help\\fR\nprint the commands; behind a command, its options\n"
      ".TP\n\\fB\\-\\-version\\fR\nname the build\n";
  return text + exit_codes();
}

std::string manual_page(const CommandTable& command, std::string_view version) {
  const std::string name = "chainrule-" + command.name;
  std::string text = title(name, version);
  text += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", plain(name), plain(command.summary));
  if (command.actions.empty()) {
    text +=
        prose(command.usage) + ".SH DESCRIPTION\n" + prose(command.description) + ".SH OPTIONS\n" + options(command);
  }
  for (const CommandTable& action : command.actions)
    text += prose(action.usage) + (&action == &command.actions.back() ? "" : ".br\n");
  for (const CommandTable& action : command.actions) {
    text += fmt::format(".SH \"{}\"\n{}", plain(action.name), prose(action.description)) + options(action);
  }
  return text + ".SH \"SEE ALSO\"\n.BR chainrule (1),\nwhich has the exit codes\n";
}

}  // namespace chainrule::pipeline::cli::manual
