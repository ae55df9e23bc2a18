#include "pipeline/pretrain/exchange/gathered_rows.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {

GatheredRows::GatheredRows(const comm::Communicator& communicator, std::int64_t most_rows)
    : communicator_(communicator),
      part_(static_cast<std::size_t>(most_rows) + 1),
      all_(part_ * static_cast<std::size_t>(communicator.size())) {}

void GatheredRows::set(std::span<const std::uint32_t> rows) {
  std::uint32_t* part = all_.data() + part_ * static_cast<std::size_t>(communicator_.rank());
  *part = static_cast<std::uint32_t>(rows.size());
  std::copy(rows.begin(), rows.end(), part + 1);
}

void GatheredRows::gather(const std::stop_token& stop) {
  const std::vector<std::size_t> part_bytes(static_cast<std::size_t>(communicator_.size()), part_ * sizeof(all_[0]));
  comm::Transfer transfer = communicator_.begin_all_gather(std::as_writable_bytes(std::span(all_)), part_bytes);
  comm::wait_beside_computation(std::span(&transfer, 1), stop);
}

std::span<const std::uint32_t> GatheredRows::of(int rank) const {
  const std::uint32_t* part = all_.data() + part_ * static_cast<std::size_t>(rank);
  return {part + 1, *part};
}

}  // namespace chainrule::pipeline::pretrain::exchange
