#include "pipeline/comm/gather_layout.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <stdexcept>

namespace chainrule::pipeline::comm {

GatherLayout::GatherLayout(std::span<const std::size_t> part_bytes) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  std::size_t total = 0;
  std::size_t divisor = 0;
  for (const std::size_t bytes : part_bytes) {
    total += bytes;
    divisor = std::gcd(divisor, bytes);
  }
  if (total > kMost) unit_bytes = divisor;
  if (unit_bytes > kMost || total / unit_bytes > kMost) {
    throw std::length_error(
        fmt::format("{} bytes in {} parts are more than MPI can gather at once", total, part_bytes.size()));
  }
  std::size_t at = 0;
  for (const std::size_t bytes : part_bytes) {
    counts.push_back(static_cast<int>(bytes / unit_bytes));
    offsets.push_back(static_cast<int>(at / unit_bytes));
    at += bytes;
  }
}

}  // namespace chainrule::pipeline::comm
