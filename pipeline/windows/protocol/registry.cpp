#include <algorithm>
#include <array>

#include "pipeline/windows/protocol/protocol.h"

namespace chainrule::pipeline::windows::protocol {
namespace {

constexpr std::array kAll = {&kDocument, &kPacked, &kLmEval, &kLlamaCpp, &kHfStride, &kGptq};

}  // namespace

std::span<const Protocol* const> all() { return kAll; }

const Protocol* find(std::string_view name) {
  const auto found = std::find_if(kAll.begin(), kAll.end(), [&](const Protocol* each) { return each->name == name; });
  return found == kAll.end() ? nullptr : *found;
}

std::unique_ptr<WindowCursor> make_cursor(const ScoringOptions& options, const io::tokens::DocumentTable& documents) {
  return options.protocol->make_cursor(options, documents);
}

bool scores_anything(const ScoringOptions& options, const io::tokens::DocumentTable& documents) {
  Window window;
  return make_cursor(options, documents)->next(window);
}

std::uint64_t tokens_to_score(const ScoringOptions& options, const io::tokens::DocumentTable& documents) {
  std::uint64_t tokens = 0;
  const auto cursor = make_cursor(options, documents);
  for (Window window; cursor->next(window);) tokens += static_cast<std::uint64_t>(window.scored);
  return tokens;
}

}  // namespace chainrule::pipeline::windows::protocol
