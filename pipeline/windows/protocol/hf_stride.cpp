#include <algorithm>
#include <array>

#include "pipeline/windows/protocol/across_documents.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

/// A window's labels (trg_len): its first token's, where it is one, is not predicted.
double labels_of(const ScoringOptions& options, std::uint64_t window, std::int64_t scored) {
  const bool begins_with_label = window == 0 || options.stride == options.context_length;
  return static_cast<double>(scored) + (begins_with_label ? 1 : 0);
}

constexpr std::array kHfStrideNumbers = {
    Number{.name = "page",
           .normaliser = "windows' means by their labels less one",
           .divisor = Divisor::windows,
           .window_weight = [](const ScoringOptions& options, std::uint64_t window,
                               std::int64_t scored) { return labels_of(options, window, scored) - 1; }},
    Number{.name = "older page",
           .normaliser = "windows' means by their labels",
           .divisor = Divisor::windows,
           .window_weight = labels_of},
};

class StrideCursor final : public WindowCursor {
 public:
  StrideCursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents)
      : length_(static_cast<std::uint64_t>(options.context_length)),
        stride_(static_cast<std::uint64_t>(options.stride)),
        tokens_(documents.token_end()),
        document_of_(documents) {}

  bool next(Window& window) override {
    while (reached_ < tokens_) {
      const std::uint64_t end = std::min(begin_ + length_, tokens_);
      const std::uint64_t scored = std::min(end - reached_, end - begin_ - 1);
      const std::uint64_t begin = begin_;
      reached_ = end;
      begin_ += stride_;
      if (scored == 0) continue;  // a window of one token: the page's own sum becomes NaN
      window = window_over(begin, end, scored, document_of_);
      return true;
    }
    return false;
  }

 private:
  std::uint64_t length_;
  std::uint64_t stride_;
  std::uint64_t tokens_;
  std::uint64_t begin_ = 0;    ///< of the next window
  std::uint64_t reached_ = 0;  ///< what the windows before it reach
  DocumentOfToken document_of_;
};

}  // namespace

const Protocol kHfStride = {
    .name = "hf-stride",
    .summary = "all text joined, windows that overlap, as transformers' page on perplexity does",
    .difference =
        "context crosses documents, blank lines count, and windows' means are weighted by other than their tokens",
    .fixed_stride = "",
    .rule = "labels of windows that overlap",
    .text = Text::joined,
    .prefix = Prefix::none,
    .special_tokens_are_text = false,
    .shortest_context_length = 2,
    .numbers = kHfStrideNumbers,
    .default_stride = [](std::int64_t context_length) { return std::min<std::int64_t>(512, context_length); },
    .make_cursor = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents)
        -> std::unique_ptr<WindowCursor> { return std::make_unique<StrideCursor>(options, documents); },
    .dropped = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents) -> std::vector<Dropped> {
      const auto length = static_cast<std::uint64_t>(options.context_length);
      const std::uint64_t tokens = documents.token_end();
      const std::uint64_t windows = options.stride == options.context_length ? (tokens + length - 1) / length
                                                                             : std::min<std::uint64_t>(tokens, 1);
      return {{"first tokens before which nothing stands", windows}};
    },
};

}  // namespace chainrule::pipeline::windows::protocol
