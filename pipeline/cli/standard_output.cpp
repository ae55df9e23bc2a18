#include "pipeline/cli/standard_output.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "io/error.h"
#include "pipeline/comm/session.h"

namespace chainrule::pipeline::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool shows_colours() {
  return ::isatty(STDOUT_FILENO) == 1 && !launched() && environment("NO_COLOR").empty() &&
         environment("TERM") != "dumb";
}

bool shows_true_colours() {
  const std::string_view says = environment("COLORTERM");
  return says == "truecolor" || says == "24bit";
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw io::Error(io::ErrorKind::input_output, "writing to standard output failed");
  }
}

}  // namespace chainrule::pipeline::cli
