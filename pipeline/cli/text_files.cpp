#include "pipeline/cli/text_files.h"

#include <fmt/format.h>

#include "io/quote.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::cli {

void TextFiles::add_to(po::options_description& group) {
  const std::string formats = fmt::format(
      "auto: JSON lines are known by name (.jsonl, .ndjson, .jsonlines) or by content; text: each file is one "
      "document; jsonl: each line of each file is one{}",
      takes_tokens_ ? "; nanogpt: each .bin file holds u16 tokens" : "");
  group.add_options()("text-field", po::value(&text_field_)->default_value(text_field_)->value_name("NAME"),
                      "member of a JSON line that is its text")(
      "format",
      po::value(&format_)->default_value(format_)->value_name(takes_tokens_ ? "auto|text|jsonl|nanogpt"
                                                                            : "auto|text|jsonl"),
      formats.c_str())("list-skipped", po::bool_switch(&list_skipped_),
                       "name what is left out of folders, each with its reason");
}

io::text::FindOptions TextFiles::find_options() const {
  io::text::FindOptions options;
  options.text_field = text_field_;
  if (format_ == "text") {
    options.format = io::text::FormatChoice::plain;
  } else if (format_ == "jsonl") {
    options.format = io::text::FormatChoice::json_lines;
  } else if (format_ == "nanogpt" && takes_tokens_) {
    options.format = io::text::FormatChoice::nanogpt;
  } else if (format_ != "auto") {
    throw failure::Error(failure::ExitCode::usage,
                         fmt::format("--format {}: one of auto, {}", io::in_quotes(format_),
                                     takes_tokens_ ? "text, jsonl and nanogpt" : "text and jsonl"));
  }
  return options;
}

const char* TextFiles::help() {
  return "A text file is one document; a line of JSON lines is one; a folder is every file below it, links followed.\n"
         "JSON lines may be packed by gzip or zstd. Left out of folders, and counted: hidden files and folders, other\n"
         "compressed and binary files, links that lead nowhere or back, what chainrule wrote (data sets, runs,\n"
         "checkpoints, reports). Named directly, a compressed or binary file is refused; so is a file of which it\n"
         "cannot be told whether it is one document or many.";
}

}  // namespace chainrule::pipeline::cli
