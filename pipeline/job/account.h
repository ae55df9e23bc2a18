#pragma once
#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipeline/comm/communicator.h"
#include "pipeline/job/energy.h"

namespace chainrule::pipeline::job {

/// What a job has cost.
struct Cost {
  double seconds = 0;
  double core_hours = 0;         ///< ranks x threads x hours
  std::uint64_t tokens = 0;      ///< that it worked on
  std::optional<double> joules;  ///< of all nodes, whatever else ran there; where every node tells
};

/// Counts from its making on.
class Account {
 public:
  /// Collective: one rank of each node reads its meter.
  Account(const comm::Communicator& communicator, int threads_per_rank);

  /// Every some seconds at least, so that no counter wraps around unseen. Cheap.
  void look();

  /// Joules of this rank's node since the account was made, on the first rank of each node; below 0 where that cannot
  /// be read. Empty on the other ranks.
  std::optional<double> node_joules();

  /// Complete on rank 0. Collective.
  Cost cost(std::uint64_t tokens);

 private:
  const comm::Communicator& communicator_;
  int threads_per_rank_;
  std::chrono::steady_clock::time_point started_;
  std::optional<EnergyMeter> meter_;  ///< of a node's first rank
};

/// In a line for people: "0:02:13 on 16 cores: 0.6 core-hours, 1.2M tokens a core-hour, 103 kJ".
std::string to_text(const Cost& cost);

/// "core_hours", "tokens_per_core_hour" and, where it is known, "joules".
void add_to(nlohmann::ordered_json& json, const Cost& cost);

}  // namespace chainrule::pipeline::job
