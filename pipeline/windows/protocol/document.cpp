#include <algorithm>

#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

class DocumentCursor final : public WindowCursor {
 public:
  DocumentCursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents)
      : longest_(static_cast<std::uint64_t>(options.context_length)),
        stride_(static_cast<std::uint64_t>(options.stride)),
        documents_(documents) {}

  bool next(Window& window) override {
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

 private:
  std::uint64_t longest_;
  std::uint64_t stride_;
  io::tokens::DocumentTable documents_;
  std::uint64_t document_ = 0;  ///< the document in work
  std::uint64_t done_ = 0;      ///< of its tokens, scored so far
};

}  // namespace

const Protocol kDocument = {
    .name = "document",
    .summary = "each document alone, after an end-of-text",
    .fixed_stride = "",
    .default_stride = [](std::int64_t context_length) { return std::max<std::int64_t>(1, context_length / 2); },
    .make_cursor = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents)
        -> std::unique_ptr<WindowCursor> { return std::make_unique<DocumentCursor>(options, documents); },
};

}  // namespace chainrule::pipeline::windows::protocol
