#include "pipeline/run/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::pipeline::run {

void occupy_standard_streams() {
  for (int stream = 0; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free descriptor is this one. Input is opened for writing and the others for reading: use fails.
    if (::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream) return;
  }
}

void say(std::string_view text) {
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void say_failure(std::string_view message) { say("chainrule: " + io::on_one_line(message) + "\n"); }

void warn(std::string_view message) { say("chainrule: warning: " + io::on_one_line(message) + "\n"); }

void print(std::string_view text) {
  if (text.empty()) return;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw io::Error(io::ErrorKind::input_output,
                    fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

std::string read_standard_input(std::string_view what) {
  if (::isatty(STDIN_FILENO) == 1) {
    say(fmt::format("reading {} from the terminal; end it with Ctrl-D on a line of its own\n", what));
  }
  std::string text;
  std::array<char, 65'536> block{};
  std::size_t bytes = 0;
  while ((bytes = std::fread(block.data(), 1, block.size(), stdin)) > 0) text.append(block.data(), bytes);
  if (std::ferror(stdin) != 0) {
    throw io::Error(io::ErrorKind::input_output, fmt::format("cannot read standard input: {}", std::strerror(errno)));
  }
  return text;
}

}  // namespace chainrule::pipeline::run
