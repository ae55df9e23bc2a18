#include "io/tokens/remade_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "io/quote.h"
#include "io/tokenizer/matching_gave_up.h"
#include "io/tokenizer/piecewise_encoder.h"
#include "io/tokenizer/spelled_tokens.h"
#include "io/tokens/document_table.h"
#include "io/tokens/made_tokens.h"

namespace chainrule::io::tokens {
namespace {

using tokenizer::TokenId;
using tokenizer::Tokenizer;

constexpr std::uint64_t kBlockTokens = 1U << 16U;
constexpr std::string_view kBlankLine = "\n\n";

/// Calls visit with a document's tokens but its end-of-text, a block at a time.
void read_tokens(const TokenStream& data, const DocumentRecord& document,
                 const std::function<void(std::span<const TokenId>)>& visit) {
  std::vector<TokenId> block;
  const std::uint64_t end = document.first_token + document.tokens - 1;
  for (std::uint64_t at = document.first_token; at < end; at += block.size()) {
    block.resize(std::min(kBlockTokens, end - at));
    data.read(at, block);
    visit(block);
  }
}

/// The same as pieces of its text.
void read_text(const TokenStream& data, const Tokenizer& tokenizer, const DocumentRecord& document,
               const std::function<void(const std::string& piece)>& visit) {
  bool is_first = true;
  read_tokens(data, document, [&](std::span<const TokenId> tokens) {
    std::string piece;
    if (is_first) {
      piece = tokenizer.decode(tokens);
    } else {
      for (const TokenId token : tokens) piece += tokenizer.token_bytes(token);
    }
    is_first = false;
    visit(piece);
  });
}

/// Compares what a document's text encodes to with its tokens.
class DocumentCheck {
 public:
  DocumentCheck(const TokenStream& data, const Tokenizer& tokenizer, const DocumentRecord& document,
                std::uint64_t index)
      : data_(data),
        document_(document),
        index_(index),
        encoder_(tokenizer, [this](auto tokens, std::size_t) { compare(tokens); }) {}

  void append(std::string_view text) {
    tokenizer::name_text(text_name(), [&] { encoder_.append(text); });
  }
  void finish() {
    tokenizer::name_text(text_name(), [&] { encoder_.finish(); });
    if (compared_ != document_.tokens - 1) refuse();
  }

 private:
  void compare(std::span<const TokenId> tokens) {
    if (tokens.size() > document_.tokens - 1 - compared_) refuse();
    own_.resize(tokens.size());
    data_.read(document_.first_token + compared_, own_);
    if (!std::equal(tokens.begin(), tokens.end(), own_.begin())) refuse();
    compared_ += tokens.size();
  }
  std::string text_name() const {
    return fmt::format("{}: the text of document {}", path_in_quotes(data_.path()), index_);
  }
  [[noreturn]] void refuse() const {
    throw NotItsText(
        fmt::format("{} does not encode to its tokens: its tokenizer changes text, or the tokens were made otherwise; "
                    "it cannot be joined to others",
                    text_name()));
  }

  const TokenStream& data_;
  DocumentRecord document_;
  std::uint64_t index_;
  std::uint64_t compared_ = 0;
  std::vector<TokenId> own_;
  tokenizer::PiecewiseEncoder encoder_;
};

/// Writes the tokens of joined text and finds where documents end in them.
class JoinedTokens {
 public:
  JoinedTokens(const TokenStream& data, const Tokenizer& tokenizer, MadeTokens& made)
      : data_(data), tokenizer_(tokenizer), made_(made), tokens_(made.token_count()) {}

  /// The next document ends so many bytes into the text, its blank line included.
  void end_document(std::uint64_t byte) { document_ends_.push_back(byte); }

  void take(std::span<const TokenId> tokens, std::size_t text_bytes) {
    std::uint64_t bytes = 0;
    for (const TokenId token : tokens) bytes += tokenizer_.token_bytes(token).size();
    // Where a tokenizer of characters puts a space before a text, the first token has it.
    const bool has_space_before = byte_ == 0 && bytes == text_bytes + 1;
    if (bytes != text_bytes && !has_space_before) {
      throw NotItsText(
          fmt::format("{}: the tokens of joined text have {} bytes, the text {}: its tokenizer changes "
                      "text",
                      path_in_quotes(data_.path()), bytes, text_bytes));
    }
    std::uint64_t space = has_space_before ? 1 : 0;
    for (const TokenId token : tokens) {
      close_documents_up_to(byte_);
      byte_ += tokenizer_.token_bytes(token).size() - std::exchange(space, 0);
      ++tokens_;
    }
    made_.append(tokens);
  }

  /// The rest of the documents end where the stream does.
  void finish() {
    for (; !document_ends_.empty(); document_ends_.pop_front()) made_.end_document(made_.token_count());
  }

 private:
  /// Documents that end at or before a byte at which a token begins; the last one stays open for the template.
  void close_documents_up_to(std::uint64_t byte) {
    while (document_ends_.size() > 1 && document_ends_.front() <= byte) {
      made_.end_document(tokens_);
      document_ends_.pop_front();
    }
  }

  const TokenStream& data_;
  const Tokenizer& tokenizer_;
  MadeTokens& made_;
  std::uint64_t tokens_;
  std::uint64_t byte_ = 0;
  std::deque<std::uint64_t> document_ends_;
};

void require_end_of_text(const TokenStream& data, const DocumentRecord& document, std::uint64_t index) {
  TokenId last = 0;
  data.read(document.first_token + document.tokens - 1, {&last, 1});
  if (last == data.end_of_text()) return;
  throw Error(ErrorKind::bad_data, fmt::format("{}: document {} ends in token {}, not in end-of-text ({})",
                                               path_in_quotes(data.path()), index, last, data.end_of_text()));
}

}  // namespace

std::optional<SpelledToken> find_spelled_token(const TokenStream& data, const Tokenizer& tokenizer,
                                               std::uint64_t documents, std::uint64_t part, std::uint64_t parts) {
  const DocumentTable table(data, documents);
  tokenizer::SpelledTokens spelled(tokenizer);
  for (std::uint64_t i = part; i < documents; i += parts) {
    std::optional<std::string> found;
    spelled.begin();
    read_text(data, tokenizer, table[i], [&](const std::string& piece) {
      if (!found) found = spelled.find(piece);
    });
    if (found) return SpelledToken{i, *found};
  }
  return std::nullopt;
}

RemadeStream join_documents(const TokenStream& data, const Tokenizer& tokenizer, std::uint64_t documents,
                            const Template& around) {
  auto made = std::make_unique<MadeTokens>(data, MadeTokens::Kind{.end_of_text = false, .keeps_counts = false});
  RemadeStream remade;
  made->append(around.before);
  JoinedTokens joined(data, tokenizer, *made);
  tokenizer::PiecewiseEncoder encoder(tokenizer, [&](auto tokens, std::size_t bytes) { joined.take(tokens, bytes); });
  tokenizer::SpelledTokens spelled(tokenizer);
  std::uint64_t byte = 0;
  const std::string joined_name = path_in_quotes(data.path()) + ": the joined text of its documents";
  const auto append = [&](std::string_view text, std::uint64_t document) {
    byte += text.size();
    tokenizer::name_text(joined_name, [&] { encoder.append(text); });
    if (remade.spelled) return;
    if (auto found = spelled.find(text)) remade.spelled = {document, *found};
  };
  const DocumentTable table(data, documents);
  for (std::uint64_t i = 0; i < documents; ++i) {
    require_end_of_text(data, table[i], i);
    DocumentCheck check(data, tokenizer, table[i], i);
    // Where the document ends is known before a token behind it may be written.
    std::uint64_t text_bytes = 0;
    read_text(data, tokenizer, table[i], [&](const std::string& piece) { text_bytes += piece.size(); });
    const std::string_view behind = i + 1 < documents ? kBlankLine : "";
    joined.end_document(byte + text_bytes + behind.size());
    read_text(data, tokenizer, table[i], [&](const std::string& piece) {
      check.append(piece);
      append(piece, i);
    });
    check.finish();
    append(behind, i);
  }
  tokenizer::name_text(joined_name, [&] { encoder.finish(); });
  made->append(around.after);
  joined.finish();
  made->finish();
  remade.stream = std::move(made);
  return remade;
}

RemadeStream wrap_documents(const TokenStream& data, std::uint64_t documents, const Template& around) {
  auto made = std::make_unique<MadeTokens>(data, MadeTokens::Kind{});
  const DocumentTable table(data, documents);
  const TokenId end_of_text = data.end_of_text();
  for (std::uint64_t i = 0; i < documents; ++i) {
    require_end_of_text(data, table[i], i);
    made->append(around.before);
    read_tokens(data, table[i], [&](std::span<const TokenId> tokens) { made->append(tokens); });
    made->append(around.after);
    made->append({&end_of_text, 1});
    made->end_document(made->token_count());
  }
  made->finish();
  return {std::move(made), std::nullopt};
}

}  // namespace chainrule::io::tokens
