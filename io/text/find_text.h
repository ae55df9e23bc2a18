#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "io/text/left_out.h"
#include "io/text/text_file.h"

namespace chainrule::io::text {

/// How the documents of a file are told.
enum class FormatChoice {
  by_content,  ///< JSON lines by the name (.jsonl, .ndjson, .jsonlines, in any case) or by content, else one document
  plain,       ///< each file is one document
  json_lines,  ///< each line of each file is one document
  nanogpt,     ///< each file holds nanoGPT's tokens, for callers that take tokens
};

/// What a file is to a caller that takes token ids too.
enum class TokenPart {
  none,    ///< no token file: it may be text
  tokens,  ///< a file of tokens
  index,   ///< what belongs to one
  unlike,  ///< no token file where there is nothing else; a person who names it means one
};

struct FindOptions {
  std::string text_field = "text";  ///< member of a JSON line that is its text
  FormatChoice format = FormatChoice::by_content;
  std::function<TokenPart(const std::filesystem::path&)> token_part = {};  ///< empty: no file is taken for tokens
};

struct FoundTexts {
  std::vector<TextFile> files;
  std::vector<LeftOut> left_out;
};

/// Every file that inputs name, in order: a file is itself; a folder stands for the files below it, sorted by the bytes
/// of their paths, links followed (a folder to which several lead is walked once). A file that was named before, or
/// that a link leads to, is not repeated. "-" is standard input, and holds JSON lines. What gzip or zstd packed is
/// taken where JSON lines are in it. Below a folder is left out what is no text of a corpus (see LeftOut): hidden and
/// binary files, links that lead nowhere, what chainrule wrote. What a person names directly is meant, hidden or not.
/// Throws Error: missing_input naming the path; bad_data for a named file that is compressed or binary, a named folder
/// that chainrule wrote, and a file whose format cannot be told apart.
FoundTexts find_text_files(const std::vector<std::string>& inputs, const FindOptions& options = {});

}  // namespace chainrule::io::text
