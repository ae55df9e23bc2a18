#include "pipeline/cli/standard_output.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "pipeline/comm/session.h"

namespace chainrule::pipeline::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool at_terminal() { return ::isatty(STDOUT_FILENO) == 1 && !comm::launched(); }

bool shows_colours() { return at_terminal() && environment("NO_COLOR").empty() && environment("TERM") != "dumb"; }

bool shows_true_colours() {
  const std::string_view says = environment("COLORTERM");
  return says == "truecolor" || says == "24bit";
}

}  // namespace chainrule::pipeline::cli
