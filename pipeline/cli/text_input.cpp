#include "pipeline/cli/text_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "pipeline/error.h"

namespace chainrule::pipeline::cli {
namespace {

std::string read_standard_input() {
  if (::isatty(STDIN_FILENO) == 1) {
    fmt::print(stderr, "reading the text from the terminal; end it with Ctrl-D on a line of its own\n");
  }
  std::string text;
  std::array<char, 65'536> block{};
  std::size_t bytes = 0;
  while ((bytes = std::fread(block.data(), 1, block.size(), stdin)) > 0) text.append(block.data(), bytes);
  if (std::ferror(stdin) != 0) throw io::Error(io::ErrorKind::input_output, "reading standard input failed");
  return text;
}

}  // namespace

void TextInput::add_to(po::options_description& group) {
  group.add_options()("text", po::value(&text_)->value_name("TEXT"), "the text itself")(
      "input", po::value(&file_)->value_name("FILE"), "a file with the text; without both, standard input is read");
}

std::string TextInput::read(const CommandOptions& options) const {
  if (options.given("text") && options.given("input")) {
    throw Error(ExitCode::usage, "--text and --input exclude each other");
  }
  if (options.given("text")) return text_;
  return options.given("input") ? io::read_file(file_) : read_standard_input();
}

}  // namespace chainrule::pipeline::cli
