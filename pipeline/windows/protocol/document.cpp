#include <algorithm>
#include <array>

#include "pipeline/windows/protocol/protocol.h"
#include "pipeline/windows/protocol/rolling_cursor.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

constexpr std::array kDocumentNumbers = {Number{.name = "perplexity", .normaliser = "scored tokens"}};

}  // namespace

const Protocol kDocument = {
    .name = "document",
    .summary = "each document alone, after an end-of-text",
    .difference = "",
    .fixed_stride = "",
    .rule = "rolling",
    .numbers = kDocumentNumbers,
    .default_stride = [](std::int64_t context_length) { return std::max<std::int64_t>(1, context_length / 2); },
    .make_cursor = [](const ScoringOptions& options,
                      const io::tokens::DocumentTable& documents) -> std::unique_ptr<WindowCursor> {
      return std::make_unique<RollingCursor>(options.context_length, options.stride, documents);
    },
    .dropped = [](const ScoringOptions&, const io::tokens::DocumentTable& documents) -> std::vector<Dropped> {
      return {{"end-of-text tokens behind documents", documents.size()}};
    },
};

}  // namespace chainrule::pipeline::windows::protocol
