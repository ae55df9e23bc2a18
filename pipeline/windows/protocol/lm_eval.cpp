#include <array>

#include "pipeline/windows/protocol/protocol.h"
#include "pipeline/windows/protocol/rolling_cursor.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

constexpr std::array kLmEvalNumbers = {
    Number{.name = "word_perplexity", .normaliser = "words of the original text", .divisor = Divisor::words},
    Number{.name = "byte_perplexity", .normaliser = "UTF-8 bytes of the original text", .divisor = Divisor::bytes},
    Number{.name = "perplexity", .normaliser = "scored tokens"},
};

}  // namespace

const Protocol kLmEval = {
    .name = "lm-eval",
    .summary = "each document alone, in lm-eval's rolling windows",
    .difference =
        "windows of a long document do not overlap: the first tokens of each but the last have little context",
    .fixed_stride = "rolling windows advance by what they score",
    .rule = "rolling",
    .text = Text::wrapped,
    .prefix = Prefix::tokenizer,
    .special_tokens_are_text = false,
    .numbers = kLmEvalNumbers,
    .default_stride = [](std::int64_t context_length) { return context_length; },
    .make_cursor = [](const ScoringOptions& options,
                      const io::tokens::DocumentTable& documents) -> std::unique_ptr<WindowCursor> {
      return std::make_unique<RollingCursor>(options.context_length, options.stride, documents);
    },
    .dropped = [](const ScoringOptions&, const io::tokens::DocumentTable& documents) -> std::vector<Dropped> {
      return {{"end-of-text tokens behind documents", documents.size()}};
    },
};

}  // namespace chainrule::pipeline::windows::protocol
