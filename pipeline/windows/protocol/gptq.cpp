#include <array>

#include "pipeline/windows/protocol/across_documents.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

constexpr std::array kGptqNumbers = {
    Number{.name = "perplexity",
           .normaliser = "windows, each by its mean",
           .divisor = Divisor::windows,
           .window_weight = [](const ScoringOptions&, std::uint64_t, std::int64_t) { return 1.0; }},
};

}  // namespace

const Protocol kGptq = {
    .name = "gptq",
    .summary = "all text joined, windows of 2,048 side by side, as papers on quantisation do",
    .difference = "windows do not overlap and cross documents, blank lines count, and the tail is left out",
    .fixed_stride = "windows lie side by side",
    .rule = "chunks",
    .text = Text::joined,
    .prefix = Prefix::none,
    .special_tokens_are_text = false,
    .usual_context_length = 2048,
    .shortest_context_length = 2,
    .numbers = kGptqNumbers,
    .default_stride = [](std::int64_t context_length) { return context_length; },
    .make_cursor = [](const ScoringOptions& options,
                      const io::tokens::DocumentTable& documents) -> std::unique_ptr<WindowCursor> {
      return std::make_unique<ChunkCursor>(options.context_length, options.context_length - 1, false, documents);
    },
    .dropped = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents) -> std::vector<Dropped> {
      const auto length = static_cast<std::uint64_t>(options.context_length);
      const std::uint64_t tokens = documents.token_end();
      return {{"windows' first tokens, before which nothing stands", tokens / length},
              {"the tail, which fills no window", tokens % length}};
    },
};

}  // namespace chainrule::pipeline::windows::protocol
