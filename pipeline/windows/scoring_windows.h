#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "io/tokens/token_stream.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows {

/// Which tokens of a corpus are scored, and what each is predicted from.
enum class Protocol {
  /// Each document alone, after one start token; its trailing end-of-text is not scored. A document's first window
  /// scores min(N, n) of its n tokens; each later one advances by S and scores the tokens not yet scored; the last is
  /// right-aligned, so that it has full context. With S = N these are lm-eval's rolling windows.
  document,
  /// The stream, with one start token before it, in windows of N side by side, the tail kept. Every token is
  /// scored, end-of-text included.
  packed,
};

/// "document" or "packed".
std::string_view name_of(Protocol protocol);

struct ScoringWindowOptions {
  Protocol protocol = Protocol::document;
  std::int64_t context_length = 0;  ///< N, rows of the longest window, at least 1
  std::int64_t stride = 0;          ///< S, 1 <= S <= N; N in protocol packed
};

/// The windows of a protocol in stream order. Every token to be scored is scored by exactly one; each scores at
/// least 1.
class ScoringWindowCursor final : public WindowCursor {
 public:
  /// documents are the first of a data set, in stream order, and outlive the cursor.
  ScoringWindowCursor(const ScoringWindowOptions& options, std::span<const io::tokens::DocumentRecord> documents);

  bool next(Window& window) override;

 private:
  bool next_of_document(Window& window);
  bool next_of_stream(Window& window);

  ScoringWindowOptions options_;
  std::span<const io::tokens::DocumentRecord> documents_;
  std::uint64_t document_ = 0;  ///< the document in work
  std::uint64_t done_ = 0;      ///< tokens scored so far: of this document, or of the stream
};

/// Tokens that a protocol scores of these documents.
std::uint64_t tokens_to_score(Protocol protocol, std::span<const io::tokens::DocumentRecord> documents);

}  // namespace chainrule::pipeline::windows
