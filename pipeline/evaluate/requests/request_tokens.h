#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/tokenizer/tokenizer.h"
#include "pipeline/evaluate/requests/request.h"

namespace chainrule::pipeline::evaluate::requests {

using io::tokenizer::TokenId;

/// Tokens that follow each other, the last `scored` of which are each predicted from all those before them.
struct ScoredTokens {
  std::vector<TokenId> tokens;  ///< [rows + 1]
  std::int64_t scored = 0;      ///< 1 to rows

  std::int64_t rows() const { return static_cast<std::int64_t>(tokens.size()) - 1; }
};

/// A request as the tokens that are scored for it.
struct RequestTokens {
  std::vector<ScoredTokens> windows;  ///< one; where rolling as many as the text takes, none for an empty text
  std::int64_t scored = 0;            ///< in all of them
  bool truncated = false;             ///< the context's beginning was left out
};

/// Encodes and cuts requests as lm-eval's `hf` does for decoder-only models: spellings of special tokens are those
/// tokens; a text stands within the tokenizer's template unless it begins with the prefix token's spelling; white space
/// at the end of a context belongs to the continuation, whose tokens are those of both together behind as many as the
/// context has alone; the prefix token is the context where that is empty, and a text's; what is longer than the
/// context length loses its beginning; a text is read in windows of full context, each behind the one before.
class RequestEncoder {
 public:
  RequestEncoder(const io::tokenizer::Tokenizer& tokenizer, std::int64_t context_length);

  /// Throws io::Error bad_data naming `name` where lm-eval has no answer: a context or a continuation without a token,
  /// a continuation longer than the context length; for a text of more than kMostAnswerTokens, and one that cannot be
  /// encoded.
  RequestTokens encode(const Request& request, const std::string& name) const;

 private:
  std::vector<TokenId> encode_text(const std::string& text) const;
  RequestTokens encode_pair(const Request& request) const;
  RequestTokens encode_rolling(const std::string& text) const;

  const io::tokenizer::Tokenizer& tokenizer_;
  std::int64_t context_length_;
  TokenId prefix_;
  std::string prefix_spelling_;
};

/// Bytes of text without the white space at its end, as Python's str.rstrip() sees it.
std::size_t bytes_before_last_space(std::string_view text);

}  // namespace chainrule::pipeline::evaluate::requests
