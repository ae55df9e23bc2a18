#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/job/account.h"
#include "pipeline/job/whereabouts.h"
#include "pipeline/pretrain/metrics/energy_rate.h"
#include "pipeline/pretrain/metrics/slow_rank.h"
#include "pipeline/pretrain/step/step_outcome.h"

namespace chainrule::pipeline::pretrain {

/// What ranks tell rank 0 now and then of how they come on: who is slow, and what energy is used.
class RankWatch {
 public:
  /// The first two outlive it.
  RankWatch(const comm::Communicator& communicator, job::Account& account, const job::Whereabouts& here);

  /// Each step: what this rank's micro-batches took, without waiting, and how many; tokens of all ranks.
  void step_taken(const step::StepOutcome& outcome);

  struct Look {
    std::optional<double> joules_per_token;  ///< since the last look, of all nodes, where every one tells
    std::optional<metrics::SlowRank> slow_rank;
  };
  /// Complete on rank 0. Looks close behind each other are judged together. Collective.
  Look look();

 private:
  /// Since the beginning; a message.
  struct Sums {
    double compute_seconds = 0;
    std::int64_t micro_batches = 0;
    double joules = 0;  ///< below 0: not to be read; not a number: another rank reads this node's
  };
  std::optional<metrics::SlowRank> judge(const std::vector<Sums>& now);

  const comm::Communicator& communicator_;
  job::Account& account_;
  std::vector<std::string> hosts_;  // by rank; on rank 0
  Sums own_;
  std::int64_t tokens_ = 0;
  // On rank 0:
  metrics::EnergyRate energy_;
  std::vector<Sums> judged_;  // what had been summed when ranks were judged last
};

}  // namespace chainrule::pipeline::pretrain
