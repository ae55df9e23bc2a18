#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokens/document_table.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows::protocol {

struct ScoringOptions;

/// The tokens that a protocol's windows lie over.
enum class Text {
  documents,  ///< the data's own: documents, each followed by its end-of-text
  wrapped,    ///< the same, each document between the tokens that the tokenizer's template puts around a text
  joined,     ///< the documents' text as one, joined by blank lines and encoded whole, between the template's tokens
};

/// What row 0 of a window reads that is after_start.
enum class Prefix {
  model,      ///< what the model's tokenizer or the data it was trained on says that documents are read behind
  tokenizer,  ///< what the model's tokenizer says, whatever the data says: its beginning-of-text, else its end-of-text
  beginning,  ///< the first token of the tokenizer's template; where it has none, windows keep their own first token
  none,       ///< windows keep their own first token
};

/// What a number divides by.
enum class Divisor { tokens, windows, words, bytes };

/// A number that those who use a protocol print.
struct Number {
  std::string_view name;
  std::string_view normaliser;  ///< in words, what its nats are divided by
  Divisor divisor = Divisor::tokens;
  /// Where its divisor is `windows`: the weight in it of the mean nats of the window of this index, which scores so
  /// many tokens. Its cross-entropy is sum(weight x mean) / sum(weight).
  double (*window_weight)(const ScoringOptions& options, std::uint64_t window, std::int64_t scored) = nullptr;
  bool has_error = false;  ///< printed with perplexity x the standard error over tokens as if these were independent
};

/// Tokens of a protocol's text that it does not score.
struct Dropped {
  std::string why;
  std::uint64_t tokens = 0;
  bool operator==(const Dropped&) const = default;
};

/// Which tokens of a corpus are scored, and what each is predicted from. Each has a file of its own beside this one.
struct Protocol {
  std::string_view name;          ///< as --protocol and a report spell it
  std::string_view summary;       ///< for --help
  std::string_view difference;    ///< in a line, why its number is not that of protocol document; empty for that
  std::string_view fixed_stride;  ///< why nobody may choose the stride; empty: anybody may
  /// Its windows are a function of these names' rule, their text, prefix, context length and stride alone.
  std::string_view rule;
  Text text = Text::documents;
  Prefix prefix = Prefix::model;
  bool special_tokens_are_text = true;    ///< the peer reads special tokens that a text spells as text, as pack does
  std::int64_t usual_context_length = 0;  ///< where nobody chose one, if the model's is as long; 0: the model's
  std::int64_t shortest_context_length = 1;
  std::uint64_t fewest_contexts = 0;  ///< the text must have so many context lengths of tokens
  std::span<const Number> numbers;    ///< the first is the one that is quoted
  /// The stride where nobody chose one.
  std::int64_t (*default_stride)(std::int64_t context_length);
  /// Its windows over documents, which are the first of a stream. Each scores at least one token.
  std::unique_ptr<WindowCursor> (*make_cursor)(const ScoringOptions& options,
                                               const io::tokens::DocumentTable& documents);
  /// What of the documents' tokens these windows do not score: with what they score, all of them.
  std::vector<Dropped> (*dropped)(const ScoringOptions& options, const io::tokens::DocumentTable& documents);
};

/// Each document alone, behind one start token; the end-of-text that follows it is not scored. A document's first
/// window scores min(N, n) of its n tokens; each later one advances by S and scores the tokens not yet scored; the last
/// is right-aligned, so that it has full context. Every token is scored once. With S = N these are lm-eval's rolling
/// windows.
extern const Protocol kDocument;

/// The stream behind one start token, in windows of N side by side, the tail kept. Every token is scored once,
/// end-of-text included.
extern const Protocol kPacked;

/// The rolling log-likelihood of lm-eval (lm_eval.utils.get_rolling_token_windows, 0.4.13): the windows of kDocument
/// with S = N, over the tokens that the tokenizer gives by default, so between its template's, behind its
/// beginning-of-text token, else its end-of-text.
extern const Protocol kLmEval;

/// llama.cpp's tools/perplexity: chunks of N side by side, of which the last N - 1 - N / 2 tokens are scored; a chunk's
/// first token is read as beginning-of-text where the tokenizer's template has one; the tail is dropped.
extern const Protocol kLlamaCpp;

/// The perplexity page of transformers' documentation: windows of N at 0, S, 2 S ... until the end is reached, each
/// scoring what the one before did not reach; a window's first token is never scored.
extern const Protocol kHfStride;

/// The evaluation of IST-DASLab/gptq: windows of N side by side, each scoring all but its first token; the tail is
/// dropped.
extern const Protocol kGptq;

/// Every protocol there is, the default one first.
std::span<const Protocol* const> all();

/// The protocol of this name; null where there is none.
const Protocol* find(std::string_view name);

/// How a corpus is scored.
struct ScoringOptions {
  const Protocol* protocol = &kDocument;
  std::int64_t context_length = 0;  ///< N, at least 1: rows of the longest window, or tokens it reads and predicts
  std::int64_t stride = 0;          ///< S, 1 <= S <= N
  bool has_beginning = false;       ///< the tokenizer's template begins with a token, which Prefix::beginning reads
};

/// The windows that options ask for (see Protocol::make_cursor).
std::unique_ptr<WindowCursor> make_cursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents);

/// Whether there is any window.
bool scores_anything(const ScoringOptions& options, const io::tokens::DocumentTable& documents);

/// Tokens that these windows score.
std::uint64_t tokens_to_score(const ScoringOptions& options, const io::tokens::DocumentTable& documents);

}  // namespace chainrule::pipeline::windows::protocol
