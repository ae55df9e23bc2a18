#pragma once
#include <algorithm>
#include <cstdint>

#include "io/tokens/document_table.h"
#include "pipeline/windows/window.h"

// What the protocols share whose windows cross documents.
namespace chainrule::pipeline::windows::protocol {

/// Which document a token lies in, of tokens that are asked for in their order.
class DocumentOfToken {
 public:
  explicit DocumentOfToken(const io::tokens::DocumentTable& documents) : documents_(documents) {}

  std::uint64_t operator()(std::uint64_t token) {
    while (documents_[document_].first_token + documents_[document_].tokens <= token) ++document_;
    return document_;
  }

 private:
  io::tokens::DocumentTable documents_;
  std::uint64_t document_ = 0;
};

/// The window that reads tokens [begin, end) and scores the last `scored` of them, of which there are at most as many
/// as have one before them: row i reads token begin + i and predicts the next.
inline Window window_over(std::uint64_t begin, std::uint64_t end, std::uint64_t scored, DocumentOfToken& document_of) {
  return {.first_target = begin + 1,
          .rows = static_cast<std::int64_t>(end - begin - 1),
          .scored = static_cast<std::int64_t>(scored),
          .document = document_of(end - scored)};
}

/// Windows of N tokens side by side, of each of which the last `scored` are scored; the tail is dropped.
class ChunkCursor final : public WindowCursor {
 public:
  ChunkCursor(std::int64_t context_length, std::int64_t scored, bool after_start,
              const io::tokens::DocumentTable& documents)
      : length_(static_cast<std::uint64_t>(context_length)),
        scored_(static_cast<std::uint64_t>(std::max<std::int64_t>(scored, 0))),
        after_start_(after_start),
        whole_(documents.token_end() / length_),
        document_of_(documents) {}

  bool next(Window& window) override {
    if (done_ == whole_ || scored_ == 0) return false;
    window = window_over(done_ * length_, (done_ + 1) * length_, scored_, document_of_);
    window.after_start = after_start_;
    ++done_;
    return true;
  }

 private:
  std::uint64_t length_;
  std::uint64_t scored_;
  bool after_start_;
  std::uint64_t whole_;
  std::uint64_t done_ = 0;
  DocumentOfToken document_of_;
};

}  // namespace chainrule::pipeline::windows::protocol
