#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "io/tokens/document_table.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows::protocol {

struct ScoringOptions;

/// Which tokens of a corpus are scored, and what each is predicted from. Each has a file of its own beside this one.
struct Protocol {
  std::string_view name;          ///< as --protocol and a report spell it
  std::string_view summary;       ///< for --help
  std::string_view fixed_stride;  ///< why nobody may choose the stride; empty: anybody may
  /// The stride where nobody chose one.
  std::int64_t (*default_stride)(std::int64_t context_length);
  /// Its windows over documents, which are the first of a stream. Each scores at least one token.
  std::unique_ptr<WindowCursor> (*make_cursor)(const ScoringOptions& options,
                                               const io::tokens::DocumentTable& documents);
};

/// Each document alone, behind one start token; the end-of-text that follows it is not scored. A document's first
/// window scores min(N, n) of its n tokens; each later one advances by S and scores the tokens not yet scored; the last
/// is right-aligned, so that it has full context. Every token is scored once. With S = N these are lm-eval's rolling
/// windows.
extern const Protocol kDocument;

/// The stream behind one start token, in windows of N side by side, the tail kept. Every token is scored once,
/// end-of-text included.
extern const Protocol kPacked;

/// Every protocol there is, the default one first.
std::span<const Protocol* const> all();

/// The protocol of this name; null where there is none.
const Protocol* find(std::string_view name);

/// How a corpus is scored.
struct ScoringOptions {
  const Protocol* protocol = &kDocument;
  std::int64_t context_length = 0;  ///< N, rows of the longest window, at least 1
  std::int64_t stride = 0;          ///< S, 1 <= S <= N
};

/// The windows that options ask for (see Protocol::make_cursor).
std::unique_ptr<WindowCursor> make_cursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents);

/// Tokens that these windows score.
std::uint64_t tokens_to_score(const ScoringOptions& options, const io::tokens::DocumentTable& documents);

}  // namespace chainrule::pipeline::windows::protocol
