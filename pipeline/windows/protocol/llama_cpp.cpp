#include <array>

#include "pipeline/windows/protocol/across_documents.h"
#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

constexpr std::array kLlamaCppNumbers = {
    Number{.name = "PPL", .normaliser = "scored tokens", .has_error = true},
};

std::int64_t scored_of_chunk(std::int64_t context_length) { return context_length - 1 - context_length / 2; }

}  // namespace

const Protocol kLlamaCpp = {
    .name = "llama.cpp",
    .summary = "all text joined, the second halves of chunks",
    .difference = "only second halves of short chunks are scored, whose context crosses documents; blank lines count",
    .fixed_stride = "chunks lie side by side",
    .rule = "second halves of chunks",
    .text = Text::joined,
    .prefix = Prefix::beginning,
    .usual_context_length = 512,
    .shortest_context_length = 3,
    .fewest_contexts = 2,
    .numbers = kLlamaCppNumbers,
    .default_stride = [](std::int64_t context_length) { return context_length; },
    .make_cursor = [](const ScoringOptions& options,
                      const io::tokens::DocumentTable& documents) -> std::unique_ptr<WindowCursor> {
      return std::make_unique<ChunkCursor>(options.context_length, scored_of_chunk(options.context_length),
                                           options.has_beginning, documents);
    },
    .dropped = [](const ScoringOptions& options, const io::tokens::DocumentTable& documents) -> std::vector<Dropped> {
      const auto length = static_cast<std::uint64_t>(options.context_length);
      const std::uint64_t tokens = documents.token_end();
      const std::uint64_t read = length - static_cast<std::uint64_t>(scored_of_chunk(options.context_length));
      return {{"first halves of chunks, read as context only", tokens / length * read},
              {"the tail, which fills no chunk", tokens % length}};
    },
};

}  // namespace chainrule::pipeline::windows::protocol
