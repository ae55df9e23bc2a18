#include "pipeline/evaluate/requests/request_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/error.h"
#include "io/text/characters.h"
#include "pipeline/evaluate/requests/answer.h"

namespace chainrule::pipeline::evaluate::requests {
namespace {

[[noreturn]] void refuse_tokens(const std::string& why) { throw io::Error(io::ErrorKind::bad_data, why); }

/// The separators that Python takes for white space, though Unicode does not.
bool is_separator(char each) { return each >= '\x1c' && each <= '\x1f'; }

std::int64_t size_of(const std::vector<TokenId>& tokens) { return static_cast<std::int64_t>(tokens.size()); }

}  // namespace

std::size_t bytes_before_last_space(std::string_view text) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size();) {
    const io::text::Character character = io::text::character_at(text, at);
    const bool space = character.kind == io::text::CharacterClass::space || is_separator(text[at]);
    at += character.bytes;
    if (!space) kept = at;
  }
  return kept;
}

RequestEncoder::RequestEncoder(const io::tokenizer::Tokenizer& tokenizer, std::int64_t context_length)
    : tokenizer_(tokenizer),
      context_length_(context_length),
      prefix_(tokenizer.start_token()),
      prefix_spelling_(tokenizer.token_bytes(prefix_)) {}

std::vector<TokenId> RequestEncoder::encode_text(const std::string& text) const {
  std::vector<TokenId> tokens;
  if (text.starts_with(prefix_spelling_)) {
    tokenizer_.encode_with_special_tokens(text, tokens);
  } else {
    tokenizer_.encode_in_template(text, tokens);
  }
  return tokens;
}

RequestTokens RequestEncoder::encode(const Request& request, const std::string& name) const {
  try {
    return request.rolling ? encode_rolling(request.text) : encode_pair(request);
  } catch (const io::Error& error) {
    throw io::Error(error.kind(), fmt::format("{}: {}", name, error.what()));
  }
}

RequestTokens RequestEncoder::encode_pair(const Request& request) const {
  std::vector<TokenId> whole;
  std::int64_t context = 0;
  if (request.context.empty()) {
    tokenizer_.encode_with_special_tokens(request.text, whole);
    if (whole.empty() || whole.front() != prefix_) whole.insert(whole.begin(), prefix_);
    context = 1;
  } else {
    whole = encode_text(request.context + request.text);
    const std::size_t kept = bytes_before_last_space(request.context);
    context = size_of(encode_text(request.context.substr(0, kept)));
  }
  const std::int64_t scored = size_of(whole) - context;
  if (context < 1) refuse_tokens("the context is white space alone, which has no token to predict from");
  if (scored < 1) refuse_tokens("the continuation has no token of its own: there is nothing to score");
  if (scored > context_length_) {
    refuse_tokens(
        fmt::format("the continuation has {} tokens, more than the context length of {}", scored, context_length_));
  }
  RequestTokens tokens;
  tokens.scored = scored;
  tokens.truncated = size_of(whole) > context_length_ + 1;
  if (tokens.truncated) whole.erase(whole.begin(), whole.end() - (context_length_ + 1));
  tokens.windows.push_back({std::move(whole), scored});
  return tokens;
}

RequestTokens RequestEncoder::encode_rolling(const std::string& text) const {
  std::vector<TokenId> stream = encode_text(text);
  RequestTokens tokens;
  tokens.scored = size_of(stream);
  if (tokens.scored > kMostAnswerTokens) refuse_tokens("the text has more than 2^30 tokens");
  stream.insert(stream.begin(), prefix_);
  for (std::int64_t predicted = 0; predicted < tokens.scored;) {
    const std::int64_t scored = std::min(context_length_, tokens.scored - predicted);
    predicted += scored;
    const auto end = stream.begin() + predicted + 1;
    tokens.windows.push_back({{end - std::min(context_length_, predicted) - 1, end}, scored});
  }
  return tokens;
}

}  // namespace chainrule::pipeline::evaluate::requests
