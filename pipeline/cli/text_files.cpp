#include "pipeline/cli/text_files.h"

#include <fmt/format.h>

#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {

void TextFiles::add_to(po::options_description& group) {
  group.add_options()("text-field", po::value(&text_field_)->default_value(text_field_)->value_name("NAME"),
                      "member of a JSON line that is its text")(
      "format", po::value(&format_)->default_value(format_)->value_name("auto|text|jsonl"),
      "auto: JSON lines are known by name (.jsonl, .ndjson, .jsonlines) or by content; text: each file is one "
      "document; jsonl: each line of each file is one")("list-skipped", po::bool_switch(&list_skipped_),
                                                        "name what is left out of folders, each with its reason");
}

io::text::FindOptions TextFiles::find_options() const {
  io::text::FindOptions options;
  options.text_field = text_field_;
  if (format_ == "text") {
    options.format = io::text::FormatChoice::plain;
  } else if (format_ == "jsonl") {
    options.format = io::text::FormatChoice::json_lines;
  } else if (format_ != "auto") {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--format {}: one of auto, text and jsonl", io::in_quotes(format_)));
  }
  return options;
}

const char* TextFiles::help() {
  return "A text file is one document; a line of JSON lines is one; a folder is every file below it, links followed.\n"
         "Left out of folders, and counted: hidden files and folders, compressed and binary files, links that lead\n"
         "nowhere or back, what chainrule wrote (data sets, runs, checkpoints, reports). Named directly, a compressed\n"
         "or binary file is refused; so is a file of which it cannot be told whether it is one document or many.";
}

}  // namespace chainrule::pipeline::cli
