#pragma once
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::pretrain::exchange {

/// The rows of a parameter that one micro-batch of each rank names (its inputs), known to all ranks. communicator
/// outlives it.
class GatheredRows {
 public:
  /// most_rows: named by a rank, repetitions counted.
  GatheredRows(const comm::Communicator& communicator, std::int64_t most_rows);

  /// What this rank will say; not while gather() is under way.
  void set(std::span<const std::uint32_t> rows);
  /// Collective, in the same order among the exchange's transfers on every rank. Leaves the processor to those who
  /// compute.
  void gather(const std::stop_token& stop);

  std::span<const std::uint32_t> of(int rank) const;

 private:
  const comm::Communicator& communicator_;
  std::size_t part_;                // elements of a rank's part: a count, then room for its rows
  std::vector<std::uint32_t> all_;  // [rank, part_]
};

}  // namespace chainrule::pipeline::pretrain::exchange
