#include "pipeline/cli/text_input.h"

#include "io/files/atomic_file.h"
#include "pipeline/run/standard_streams.h"

namespace chainrule::pipeline::cli {

void TextInput::add_to(po::options_description& group) {
  group.add_options()("text", po::value(&text_)->value_name("TEXT"), "the text itself")(
      "input", po::value(&file_)->value_name("FILE"), "a file with the text; -, or neither option: standard input");
}

std::string TextInput::read(const CommandOptions& options) const {
  const std::string given = options.either("text", "input");
  if (given == "text") return text_;
  return given == "input" && file_ != "-" ? io::files::read_file_or_pipe(file_) : run::read_standard_input("the text");
}

}  // namespace chainrule::pipeline::cli
