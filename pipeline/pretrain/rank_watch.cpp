#include "pipeline/pretrain/rank_watch.h"

#include <cstring>
#include <limits>
#include <span>

namespace chainrule::pipeline::pretrain {
namespace {

/// Below it, what else a machine does at times looks like a slow rank.
constexpr double kLeastSeconds = 1;

}  // namespace

RankWatch::RankWatch(const comm::Communicator& communicator, job::Account& account, const job::Whereabouts& here)
    : communicator_(communicator),
      account_(account),
      hosts_(static_cast<std::size_t>(communicator.size())),
      judged_(static_cast<std::size_t>(communicator.size())) {
  for (const job::Whereabouts::Node& node : here.nodes) {
    for (const int rank : node.ranks) hosts_[static_cast<std::size_t>(rank)] = node.name;
  }
}

void RankWatch::step_taken(const step::StepOutcome& outcome) {
  own_.compute_seconds += outcome.compute_seconds;
  own_.micro_batches += outcome.own_micro_batches;
  tokens_ += outcome.tokens;
}

RankWatch::Look RankWatch::look() {
  own_.joules = account_.node_joules().value_or(std::numeric_limits<double>::quiet_NaN());
  std::vector<Sums> all;
  std::vector<double> joules;
  for (const auto& bytes : communicator_.gather(std::as_bytes(std::span(&own_, 1)))) {
    std::memcpy(&all.emplace_back(), bytes.data(), sizeof(Sums));
    joules.push_back(all.back().joules);
  }
  if (communicator_.rank() != 0) return {};
  return {energy_.look(joules, tokens_), judge(all)};
}

std::optional<metrics::SlowRank> RankWatch::judge(const std::vector<Sums>& now) {
  std::vector<metrics::RankTime> times;
  bool enough = false;
  for (std::size_t rank = 0; rank < now.size(); ++rank) {
    times.push_back({now[rank].compute_seconds - judged_[rank].compute_seconds,
                     now[rank].micro_batches - judged_[rank].micro_batches});
    enough = enough || times.back().seconds >= kLeastSeconds;
  }
  if (!enough) return std::nullopt;  // together with what comes
  std::optional<metrics::SlowRank> slow = metrics::slowest_behind(times, kLeastSeconds / 2);
  judged_ = now;
  if (slow) slow->host = hosts_[static_cast<std::size_t>(slow->rank)];
  return slow;
}

}  // namespace chainrule::pipeline::pretrain
