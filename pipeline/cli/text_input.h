#pragma once
#include <string>

#include "pipeline/cli/options.h"

namespace chainrule::pipeline::cli {

/// The text that a command works on: --text, else the file --input (- is standard input), else
/// standard input. Bytes as they are, a final
/// line feed included.
class TextInput {
 public:
  /// Adds the two options to a group.
  void add_to(po::options_description& group);
  /// Throws Error usage where both were given; io::Error for a file that cannot be read.
  std::string read(const CommandOptions& options) const;

 private:
  std::string text_;
  std::string file_;
};

}  // namespace chainrule::pipeline::cli
