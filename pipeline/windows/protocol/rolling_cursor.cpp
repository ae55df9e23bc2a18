#include "pipeline/windows/protocol/rolling_cursor.h"

#include <algorithm>

namespace chainrule::pipeline::windows::protocol {

bool RollingCursor::next(Window& window) {
  for (; document_ < documents_.size(); ++document_, done_ = 0) {
    const io::tokens::DocumentRecord& document = documents_[document_];
    const std::uint64_t tokens = document.tokens - 1;  // without the end-of-text that follows
    if (done_ == tokens) continue;
    const std::uint64_t end = std::min(done_ + (done_ == 0 ? longest_ : stride_), tokens);
    const std::uint64_t rows = std::min(end, longest_);
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

}  // namespace chainrule::pipeline::windows::protocol
