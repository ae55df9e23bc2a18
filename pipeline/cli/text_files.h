#pragma once
#include <string>

#include "io/text/find_text.h"
#include "pipeline/cli/options.h"

namespace chainrule::pipeline::cli {

/// What the commands that read a corpus (pack, tokenizer train) say of it alike: the options that tell how its files
/// are read, and the help on what is taken and what is left out.
class TextFiles {
 public:
  /// takes_tokens: whether token files are taken too.
  explicit TextFiles(bool takes_tokens = false) : takes_tokens_(takes_tokens) {}

  /// Adds the options to a group.
  void add_to(po::options_description& group);
  /// Throws Error usage for a --format that is none.
  io::text::FindOptions find_options() const;
  bool list_skipped() const { return list_skipped_; }

  /// A paragraph for a command's description.
  static const char* help();

 private:
  bool takes_tokens_;
  std::string text_field_ = "text";
  std::string format_ = "auto";
  bool list_skipped_ = false;
};

}  // namespace chainrule::pipeline::cli
