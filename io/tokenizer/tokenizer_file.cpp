#include "io/tokenizer/tokenizer_file.h"

#include <algorithm>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "io/files/presence.h"
#include "io/files/untrusted_json.h"
#include "io/quote.h"
#include "io/tokenizer/splitter.h"

namespace chainrule::io::tokenizer {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::bad_data, fmt::format("tokenizer {}: {}", path_in_quotes(path), what));
}

void read_merge_lines(const std::filesystem::path& path, TokenizerSource& source) {
  const std::string text = files::read_file(path);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::size_t space = line.find(' ');
    // One space, with something on each side of it.
    if (space == std::string_view::npos || space != line.rfind(' ') || space == 0 || space + 1 == line.size()) {
      fail(path, fmt::format("line {} is not two tokens with a space between: {}", number, in_quotes(line)));
    }
    source.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
}

}  // namespace

TokenizerDefinition read_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges) {
  TokenizerSource source;
  source.path = vocabulary;
  source.pattern = kGpt2Pattern;
  const nlohmann::json tokens = files::parse_untrusted_json(files::read_file(vocabulary),
                                                            fmt::format("tokenizer {}", path_in_quotes(vocabulary)));
  if (!tokens.is_object()) fail(vocabulary, "is not an object of tokens and ids");
  for (const auto& [spelling, id] : tokens.items()) {
    if (!id.is_number_unsigned())
      fail(vocabulary, fmt::format("the id of token {} is not a number", in_quotes(spelling)));
    source.vocabulary.emplace_back(spelling, id.get<std::uint64_t>());
  }
  read_merge_lines(merges, source);
  return define(source);
}

TokenizerDefinition read_tokenizer(const std::filesystem::path& path) {
  if (files::presence_of(path) != files::Presence::folder) return read_hugging_face(path);
  if (files::is_there(path / "tokenizer.json")) return read_hugging_face(path / "tokenizer.json");
  const auto vocabulary = path / "vocab.json";
  const auto merges = path / "merges.txt";
  if (!files::is_there(vocabulary) || !files::is_there(merges)) {
    throw Error(ErrorKind::missing_input,
                fmt::format("tokenizer {}: the folder holds neither tokenizer.json nor vocab.json with merges.txt",
                            path_in_quotes(path)));
  }
  return read_gpt2(vocabulary, merges);
}

}  // namespace chainrule::io::tokenizer
