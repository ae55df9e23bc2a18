#include "io/tokenizer/tokenizer_file.h"

#include <algorithm>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tokenizer/piece_scanner.h"

namespace chainrule::io::tokenizer {
namespace {

void read_merge_lines(const std::filesystem::path& path, TokenizerSource& source) {
  const std::string text = files::read_file(path);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    // One space, with something on each side of it.
    if (space == std::string_view::npos || space != line.rfind(' ') || space == 0 || space + 1 == line.size()) {
      refuse_tokenizer(path,
                       fmt::format("line {} is not two tokens with a space between: {}", number, in_quotes(line)));
    }
    source.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

}  // namespace

TokenizerSource read_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges) {
  TokenizerSource source;
  source.path = vocabulary;
  source.pre_tokenizations = {Split{.pattern = kGpt2Pattern}};
  const nlohmann::json tokens = files::parse_untrusted_json(files::read_file(vocabulary),
                                                            fmt::format("tokenizer {}", path_in_quotes(vocabulary)));
  if (!tokens.is_object()) refuse_tokenizer(vocabulary, "is not an object of tokens and ids");
  for (const auto& [spelling, id] : tokens.items()) {
    if (!id.is_number_unsigned())
      refuse_tokenizer(vocabulary, fmt::format("the id of token {} is not a number", in_quotes(spelling)));
    source.vocabulary.emplace_back(spelling, id.get<std::uint64_t>());
  }
  read_merge_lines(merges, source);
  return source;
}

namespace {

bool holds_tiktoken(const std::filesystem::path& file) {
  return file.extension() == ".tiktoken" || file.extension() == ".model";
}

/// The one file of a folder that is in tiktoken's form; empty for none.
std::filesystem::path tiktoken_in(const std::filesystem::path& folder) {
  std::filesystem::path found;
  for (const auto& file : files::list_folder(folder)) {
    if (!holds_tiktoken(file)) continue;
    if (!found.empty())
      refuse_tokenizer(folder, fmt::format("holds both {} and {}", path_in_quotes(found.filename()),
                                           path_in_quotes(file.filename())));
    found = file;
  }
  return found;
}

TokenizerSource read_folder(const std::filesystem::path& folder) {
  if (files::is_there(folder / "tokenizer.json")) return read_hugging_face(folder / "tokenizer.json");
  const auto vocabulary = folder / "vocab.json";
  const auto merges = folder / "merges.txt";
  if (files::is_there(vocabulary) && files::is_there(merges)) {
    TokenizerSource source = read_gpt2(vocabulary, merges);
    read_tokenizer_class(folder, source);
    return source;
  }
  const std::filesystem::path ranks = tiktoken_in(folder);
  if (!ranks.empty()) return read_tiktoken(ranks);
  throw Error(ErrorKind::missing_input,
              fmt::format("tokenizer {}: the folder holds neither tokenizer.json nor vocab.json with merges.txt nor a "
                          ".tiktoken or .model file",
                          path_in_quotes(folder)));
}

}  // namespace

TokenizerDefinition read_tokenizer(const std::filesystem::path& path) {
  const bool folder = files::presence_of(path) == files::Presence::folder;
  TokenizerSource source = folder                 ? read_folder(path)
                           : holds_tiktoken(path) ? read_tiktoken(path)
                                                  : read_hugging_face(path);
  const std::filesystem::path beside = folder ? path : path.parent_path();
  read_tokenizer_config(beside, source);
  return define(source);
}

}  // namespace chainrule::io::tokenizer
