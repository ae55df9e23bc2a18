// Reads files of tokens and ranks in tiktoken's form.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "io/files/atomic_file.h"
#include "io/files/digest.h"
#include "io/quote.h"
#include "io/tokenizer/byte_map.h"
#include "io/tokenizer/published_ranks.h"
#include "io/tokenizer/rank_merges.h"
#include "io/tokenizer/tokenizer_file.h"

namespace chainrule::io::tokenizer {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes that base64 text with its padding stands for; nothing where it is none.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t bits = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      const bool padded = i + padding >= text.size();
      const std::size_t value = padded ? 0 : kBase64.find(text[i]);
      if (value == std::string_view::npos) return std::nullopt;
      bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    }
    for (unsigned shift = 16;; shift -= 8) {
      bytes += static_cast<char>((bits >> shift) & 0xFFU);
      if (shift == 0) break;
    }
  }
  bytes.erase(bytes.size() - padding);
  return bytes;
}

bool is_sentencepiece(std::string_view text) { return text.size() > 1 && text[0] == '\n' && text[1] != '\n'; }

}  // namespace

std::vector<std::string> parse_tiktoken(std::string_view text, const std::filesystem::path& file) {
  std::vector<std::string> tokens;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto token = decode_base64(line.substr(0, space));
    std::size_t rank = 0;
    const char* last = line.data() + line.size();
    const char* first = space == line.size() ? last : line.data() + space + 1;
    const auto parsed = std::from_chars(first, last, rank);
    if (!token || token->empty() || parsed.ec != std::errc() || parsed.ptr != last) {
      refuse_tokenizer(file, fmt::format("line {} is not a token in base64 and its rank: {}", number, in_quotes(line)));
    }
    if (rank != tokens.size()) {
      refuse_tokenizer(file, fmt::format("line {} has the rank {}, where {} comes next", number, rank, tokens.size()));
    }
    tokens.push_back(*token);
  }
  return tokens;
}

TokenizerSource read_tiktoken(const std::filesystem::path& file) {
  const std::string text = files::read_file_or_pipe(file);
  if (is_sentencepiece(text)) {
    refuse_tokenizer(file, "is a SentencePiece model, which is not supported: use the tokenizer.json made from it");
  }
  const std::vector<std::string> tokens = parse_tiktoken(text, file);
  const auto published = published_ranks(files::text_digest(text));
  if (!published) {
    refuse_tokenizer(
        file,
        fmt::format("is none of the published vocabularies that are known ({}), and such a file holds neither the "
                    "pattern nor the special tokens: use the tokenizer.json made from it",
                    names_of_published_ranks()));
  }
  TokenizerSource source;
  source.path = file;
  for (const std::string& token : tokens) source.vocabulary.emplace_back(spell_bytes(token), source.vocabulary.size());
  for (auto& [left, right] : merges_of_ranks({tokens.begin(), tokens.end()}, false)) {
    source.merges.emplace_back(spell_bytes(left), spell_bytes(right));
  }
  source.ranked_by_result = true;
  source.ignore_merges = true;
  source.pre_tokenizations = {Split{.pattern = published->pattern}};
  if (published->composes) source.normalizations = {ComposeCanonically{}};
  for (const std::string& spelling : published->special_tokens) {
    source.added.push_back({.spelling = spelling, .id = tokens.size() + source.added.size(), .special = true});
  }
  if (!published->start_token.empty()) source.before.push_back({published->start_token});
  return source;
}

}  // namespace chainrule::io::tokenizer
