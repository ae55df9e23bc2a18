#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace chainrule::pipeline::pretrain::metrics {

/// A rank that the others wait for.
struct SlowRank {
  int rank = 0;
  std::string host;
  double behind = 0;  ///< its seconds a micro-batch over the median of all ranks, less 1
};

/// What a rank computed for, waiting for others left out.
struct RankTime {
  double seconds = 0;
  std::int64_t micro_batches = 0;
};

/// A rank is named from so much behind the median on.
inline constexpr double kSlowFrom = 0.1;

/// The rank with most seconds a micro-batch where it is kSlowFrom behind the median of all ranks that had micro-batches
/// (the mean of the middle two where they are even in number); without its host. Empty also where fewer than two had
/// any, and where the median rank computed for less than least_seconds: such times say little.
std::optional<SlowRank> slowest_behind(std::span<const RankTime> ranks, double least_seconds);

/// When a person is told of slow ranks: as one begins to be slow, and while it stays, or comes back soon, not again
/// within kLooks.
class SlowRankWarnings {
 public:
  static constexpr std::int64_t kLooks = 50;

  /// Once a look at the ranks, at which some rank was slow; looks are numbered.
  bool is_due(int rank, std::int64_t look);

 private:
  std::map<int, std::int64_t> warned_at_;
};

}  // namespace chainrule::pipeline::pretrain::metrics
