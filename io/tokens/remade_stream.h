#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/error.h"
#include "io/tokens/token_stream.h"

namespace chainrule::io::tokens {

/// What the tokenizer's template puts around a text.
struct Template {
  std::vector<tokenizer::TokenId> before, after;
  bool empty() const { return before.empty() && after.empty(); }
  bool operator==(const Template&) const = default;
};

/// A document's tokens are not those that the tokenizer gives its text: it changes text, or others made the tokens.
struct NotItsText : Error {
  explicit NotItsText(const std::string& message) : Error(ErrorKind::bad_data, message) {}
};

/// A special token that the text of a document spells.
struct SpelledToken {
  std::uint64_t document = 0;
  std::string spelling;
};

/// The first of the first `documents` whose text spells a special token, looked for among every `parts`-th from `part`.
/// Throws what reading throws.
std::optional<SpelledToken> find_spelled_token(const TokenStream& data, const tokenizer::Tokenizer& tokenizer,
                                               std::uint64_t documents, std::uint64_t part, std::uint64_t parts);

/// Another stream of a data set's documents, whose tokens lie in a temporary file (of std::filesystem's temporary
/// folder, 4 bytes a token and 8 a document): memory does not grow with it. It has all of data's documents, of which
/// those that are not covered hold no token.
struct RemadeStream {
  std::unique_ptr<const TokenStream> stream;
  std::optional<SpelledToken> spelled;  ///< the first one, of text that was joined
};

/// The text of the first `documents` of data joined by blank lines and encoded as one, between a template's tokens. A
/// token is of the document that its first byte lies in; blank lines are of the document before them, the template's
/// tokens of the first and the last. There are no end-of-text tokens, and a document may have no token. Documents have
/// no bytes and words: part of joined text only is scored, so that there is nothing to divide by. Throws NotItsText
/// where tokenizer does not encode a document's text as its tokens; bad_data where it can make no tokens of text; what
/// reading and writing throw.
RemadeStream join_documents(const TokenStream& data, const tokenizer::Tokenizer& tokenizer, std::uint64_t documents,
                            const Template& around);

/// The first `documents` of data, each of them between a template's tokens, its end-of-text behind.
RemadeStream wrap_documents(const TokenStream& data, std::uint64_t documents, const Template& around);

}  // namespace chainrule::io::tokens
