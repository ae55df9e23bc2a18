#include "pipeline/windows/windows.h"

#include <algorithm>
#include <limits>

namespace chainrule::pipeline::windows {

Windows::Windows(const io::tokens::TokenStream& stream, std::int64_t sequence_length, std::uint64_t token_limit)
    : stream_(stream),
      length_(static_cast<std::uint64_t>(sequence_length)),
      tokens_(std::min(token_limit, stream.token_count())) {}

Windows::Windows(const io::tokens::TokenStream& stream, std::int64_t sequence_length)
    : Windows(stream, sequence_length, std::numeric_limits<std::uint64_t>::max()) {}

Window Windows::at(std::uint64_t window) const {
  const std::uint64_t first = window * length_;
  const auto rows = static_cast<std::int64_t>(std::min(length_, tokens_ - first));
  return {.first_target = first, .rows = rows, .scored = rows, .after_start = first == 0};
}

}  // namespace chainrule::pipeline::windows
