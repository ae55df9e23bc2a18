#include "pipeline/windows/scoring_windows.h"

#include <algorithm>

namespace chainrule::pipeline::windows {

std::string_view name_of(Protocol protocol) { return protocol == Protocol::document ? "document" : "packed"; }

ScoringWindowCursor::ScoringWindowCursor(const ScoringWindowOptions& options,
                                         std::span<const io::tokens::DocumentRecord> documents)
    : options_(options), documents_(documents) {}

bool ScoringWindowCursor::next(Window& window) {
  return options_.protocol == Protocol::document ? next_of_document(window) : next_of_stream(window);
}

bool ScoringWindowCursor::next_of_document(Window& window) {
  for (; document_ < documents_.size(); ++document_, done_ = 0) {
    const io::tokens::DocumentRecord& document = documents_[document_];
    const std::uint64_t tokens = document.tokens - 1;  // without the end-of-text that follows
    if (done_ == tokens) continue;
    const auto longest = static_cast<std::uint64_t>(options_.context_length);
    const auto advance = done_ == 0 ? longest : static_cast<std::uint64_t>(options_.stride);
    const std::uint64_t end = std::min(done_ + advance, tokens);
    const std::uint64_t rows = std::min(end, longest);
    window.first_target = document.first_token + end - rows;
    window.rows = static_cast<std::int64_t>(rows);
    window.scored = static_cast<std::int64_t>(end - done_);
    window.after_start = window.first_target == document.first_token;
    window.document = document_;
    done_ = end;
    return true;
  }
  return false;
}

bool ScoringWindowCursor::next_of_stream(Window& window) {
  if (documents_.empty()) return false;
  const std::uint64_t end = documents_.back().first_token + documents_.back().tokens;
  if (done_ == end) return false;
  while (documents_[document_].first_token + documents_[document_].tokens <= done_) ++document_;
  const auto rows =
      static_cast<std::int64_t>(std::min(end - done_, static_cast<std::uint64_t>(options_.context_length)));
  window = {done_, rows, rows, done_ == 0, document_};
  done_ += static_cast<std::uint64_t>(rows);
  return true;
}

std::uint64_t tokens_to_score(Protocol protocol, std::span<const io::tokens::DocumentRecord> documents) {
  std::uint64_t tokens = 0;
  for (const auto& document : documents) tokens += document.tokens - (protocol == Protocol::document ? 1 : 0);
  return tokens;
}

}  // namespace chainrule::pipeline::windows
