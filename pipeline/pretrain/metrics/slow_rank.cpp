#include "pipeline/pretrain/metrics/slow_rank.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace chainrule::pipeline::pretrain::metrics {
namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::optional<SlowRank> slowest_behind(std::span<const RankTime> ranks, double least_seconds) {
  std::vector<double> seconds;
  std::vector<double> seconds_each;  // for a micro-batch: ranks may have different numbers of them
  SlowRank slowest;
  double most = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (ranks[rank].micro_batches <= 0) continue;
    seconds.push_back(ranks[rank].seconds);
    seconds_each.push_back(ranks[rank].seconds / static_cast<double>(ranks[rank].micro_batches));
    if (seconds_each.back() <= most) continue;
    most = seconds_each.back();
    slowest.rank = static_cast<int>(rank);
  }
  if (seconds.size() < 2 || median_of(seconds) < least_seconds) return std::nullopt;
  const double median = median_of(seconds_each);
  if (!(median > 0)) return std::nullopt;
  slowest.behind = most / median - 1;
  if (slowest.behind < kSlowFrom) return std::nullopt;
  return slowest;
}

bool SlowRankWarnings::is_due(int rank, std::int64_t look) {
  const auto found = warned_at_.find(rank);
  if (found != warned_at_.end() && look < found->second + kLooks) return false;
  warned_at_[rank] = look;
  return true;
}

}  // namespace chainrule::pipeline::pretrain::metrics
