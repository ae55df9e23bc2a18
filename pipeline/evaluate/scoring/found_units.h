#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/evaluate/journal/journal.h"

namespace chainrule::pipeline::evaluate::scoring {

/// The units that rank 0's journal has, on every rank.
class FoundUnits {
 public:
  /// journal: null on other ranks. Collective.
  FoundUnits(const comm::Communicator& communicator, const journal::Journal* journal);

  bool has(std::uint64_t unit) const;
  std::uint64_t count() const;

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;  ///< as Journal::ranges
};

}  // namespace chainrule::pipeline::evaluate::scoring
