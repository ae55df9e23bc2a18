#pragma once
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pretrain::exchange {

/// The inputs of one micro-batch of every rank, known to all ranks. communicator outlives it.
class GatheredInputs {
 public:
  /// most_tokens: of a rank's micro-batch.
  GatheredInputs(const comm::Communicator& communicator, std::int64_t most_tokens);

  /// What this rank will say; not while gather() is under way.
  void set(std::span<const std::uint32_t> tokens);
  /// Collective, in the same order among the exchange's transfers on every rank. Leaves the processor to those who
  /// compute.
  void gather(const std::stop_token& stop);

  std::span<const std::uint32_t> of(int rank) const;

 private:
  const comm::Communicator& communicator_;
  std::size_t part_;                // elements of a rank's part: a count, then room for its tokens
  std::vector<std::uint32_t> all_;  // [rank, part_]
};

}  // namespace chainrule::pipeline::pretrain::exchange
