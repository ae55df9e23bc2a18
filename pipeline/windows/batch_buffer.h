#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/tokens/token_stream.h"
#include "model/ops/batch.h"
#include "pipeline/windows/window.h"

namespace chainrule::pipeline::windows {

/// Windows side by side as the batch that a model takes: training's and evaluation's. Its memory is used again.
class BatchBuffer {
 public:
  /// Empties it: `rows` rows of padding, which are not scored. start_token: what padding reads, what stands before a
  /// stream, and what windows that begin a document are read behind.
  void begin(std::int64_t rows, std::uint32_t start_token);

  /// Reads window from stream into the next rows. They become a sequence of sequence_rows (at least the window's; the
  /// rest is padding), so that batches of windows of unequal length have one shape. Returns the token that stands
  /// before the window in the stream (before the stream: the start token), whatever row 0 reads. Throws io::Error, and
  /// std::length_error where rows are left over.
  std::uint32_t add(const io::tokens::TokenStream& stream, const Window& window, std::int64_t sequence_rows);
  std::uint32_t add(const io::tokens::TokenStream& stream, const Window& window) {
    return add(stream, window, window.rows);
  }
  /// A sequence of padding.
  void add_padding(std::int64_t sequence_rows);

  /// Valid until the next change.
  model::ops::Batch batch() const { return {inputs_, targets_, sequences_}; }

 private:
  std::int64_t used_rows_ = 0;
  std::uint32_t start_token_ = 0;
  std::vector<std::uint32_t> tokens_;  // of one window: the token before it, then its targets
  std::vector<std::uint32_t> inputs_;
  std::vector<std::uint32_t> targets_;
  std::vector<model::ops::Sequence> sequences_;
};

}  // namespace chainrule::pipeline::windows
