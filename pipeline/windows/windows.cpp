#include "pipeline/windows/windows.h"

#include <algorithm>
#include <limits>

#include "model/ops/batch.h"

namespace chainrule::pipeline::windows {

Windows::Windows(const io::tokens::TokenStream& data, std::int64_t sequence_length, std::uint64_t token_limit)
    : data_(data),
      length_(static_cast<std::uint64_t>(sequence_length)),
      tokens_(std::min(token_limit, data.token_count())) {}

Windows::Windows(const io::tokens::TokenStream& data, std::int64_t sequence_length)
    : Windows(data, sequence_length, std::numeric_limits<std::uint64_t>::max()) {}

void Windows::read(std::uint64_t window, std::span<std::uint32_t> inputs, std::span<std::uint32_t> targets) const {
  const std::uint64_t first = window * length_;
  const std::size_t rows = std::min(length_, tokens_ - first);
  data_.read(first, targets.first(rows));
  if (first == 0) {
    inputs[0] = data_.end_of_text();
  } else {
    data_.read(first - 1, inputs.first(1));
  }
  std::copy_n(targets.begin(), rows - 1, inputs.begin() + 1);
  std::fill(inputs.begin() + static_cast<std::ptrdiff_t>(rows), inputs.end(), data_.end_of_text());
  std::fill(targets.begin() + static_cast<std::ptrdiff_t>(rows), targets.end(), model::ops::kNotScored);
}

}  // namespace chainrule::pipeline::windows
