#include <algorithm>
#include <array>

#include "pipeline/windows/protocol/across_documents.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

class PackedCursor final : public WindowCursor {
 public:
  PackedCursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents)
      : longest_(static_cast<std::uint64_t>(options.context_length)),
        end_(documents.token_end()),
        document_of_(documents) {}

  bool next(Window& window) override {
    if (done_ == end_) return false;
    const auto rows = static_cast<std::int64_t>(std::min(end_ - done_, longest_));
    window = {.first_target = done_,
              .rows = rows,
              .scored = rows,
              .after_start = done_ == 0,
              .document = document_of_(done_)};
    done_ += static_cast<std::uint64_t>(rows);
    return true;
  }

 private:
  std::uint64_t longest_;
  std::uint64_t end_;       ///< of the documents, in the stream
  std::uint64_t done_ = 0;  ///< tokens of the stream scored so far
  DocumentOfToken document_of_;
};

constexpr std::array kPackedNumbers = {Number{.name = "perplexity", .normaliser = "scored tokens"}};

}  // namespace

const Protocol kPacked = {
    .name = "packed",
    .summary = "the whole stream in windows side by side",
    .difference = "windows cross documents, their first tokens have little context, and end-of-text is scored too",
    .fixed_stride = "packed windows lie side by side",
    .rule = "packed",
    .numbers = kPackedNumbers,
    .default_stride = [](std::int64_t context_length) { return context_length; },
    .make_cursor = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents)
        -> std::unique_ptr<WindowCursor> { return std::make_unique<PackedCursor>(options, documents); },
    .dropped = [](const ScoringOptions&, const io::tokens::DocumentTable&) -> std::vector<Dropped> { return {}; },
};

}  // namespace chainrule::pipeline::windows::protocol
