#include "pipeline/pretrain/exchange/gathered_inputs.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {

GatheredInputs::GatheredInputs(const comm::Communicator& communicator, std::int64_t most_tokens)
    : communicator_(communicator),
      part_(static_cast<std::size_t>(most_tokens) + 1),
      all_(part_ * static_cast<std::size_t>(communicator.size())) {}

void GatheredInputs::set(std::span<const std::uint32_t> tokens) {
  std::uint32_t* part = all_.data() + part_ * static_cast<std::size_t>(communicator_.rank());
  *part = static_cast<std::uint32_t>(tokens.size());
  std::copy(tokens.begin(), tokens.end(), part + 1);
}

void GatheredInputs::gather(const std::stop_token& stop) {
  const std::vector<std::size_t> part_bytes(static_cast<std::size_t>(communicator_.size()), part_ * sizeof(all_[0]));
  comm::Transfer transfer = communicator_.begin_all_gather(std::as_writable_bytes(std::span(all_)), part_bytes);
  comm::wait_beside_computation(std::span(&transfer, 1), stop);
}

std::span<const std::uint32_t> GatheredInputs::of(int rank) const {
  const std::uint32_t* part = all_.data() + part_ * static_cast<std::size_t>(rank);
  return {part + 1, *part};
}

}  // namespace chainrule::pipeline::pretrain::exchange
