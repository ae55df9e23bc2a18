#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace chainrule::pipeline::pretrain::metrics {

/// Joules a token of the time between two looks at the meters of all nodes.
class EnergyRate {
 public:
  /// joules: by rank, since the beginning; not a number on ranks whose node another one reads, below 0 where a node
  /// does not tell, and then nothing is known of all. tokens: of all ranks since the beginning.
  std::optional<double> look(std::span<const double> joules, std::int64_t tokens);

 private:
  double joules_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace chainrule::pipeline::pretrain::metrics
