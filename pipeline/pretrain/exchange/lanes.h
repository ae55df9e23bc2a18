#pragma once
#include <cstdint>
#include <vector>

namespace chainrule::pipeline::pretrain::exchange {

// Who sums which gradients, so that the bits of the sum are the same on any number of ranks. A step's micro-batches are
// divided among S lanes (a power of two); a lane adds its micro-batches in index order; lanes are added along the
// complete binary tree over lane indices, where an empty lane is skipped. Everything here is arithmetic.

/// Indices [begin, end).
struct IndexRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const IndexRange&) const = default;
};

/// Part `part` of `parts` nearly equal contiguous parts of [0, count).
IndexRange part_of(std::int64_t count, std::int64_t part, std::int64_t parts);

/// A whole subtree over lanes [first_lane, first_lane + lanes): lanes is a power of two that divides first_lane.
struct Subtree {
  std::int64_t first_lane = 0;
  std::int64_t lanes = 1;
  bool operator==(const Subtree&) const = default;
};

/// The sum at index `from` is added to the sum at index `into`; what lies at `from` is then free.
struct Merge {
  std::int64_t into = 0;
  std::int64_t from = 0;
  bool operator==(const Merge&) const = default;
};

/// What one lane adds up on its rank.
struct LaneAccumulation {
  IndexRange micro_batches;   ///< never empty
  std::int64_t arena = 0;     ///< where they are accumulated, from zero
  std::vector<Merge> merges;  ///< over this rank's arenas, once they are
};

/// What one rank does in a step, with the fewest arenas.
struct RankPlan {
  std::vector<LaneAccumulation> lanes;  ///< those with micro-batches, in the order in which it takes them
  std::vector<Subtree> subtrees;        ///< kept at the end, the largest first: subtree i lies in arena i
  std::int64_t arenas = 1;              ///< gradient arenas it needs, at most log2 S + 1
};

/// What remains to be added over all ranks.
struct CombinePlan {
  /// One kept subtree: `arena` of `rank`.
  struct Leaf {
    int rank = 0;
    std::int64_t arena = 0;
  };
  std::vector<Leaf> leaves;   ///< in lane order
  std::vector<Merge> merges;  ///< over leaves, in order; the whole sum ends in leaf 0
};

/// Lanes where nobody chose: 8, or the next power of two that is at least ranks.
std::int64_t default_lanes(int ranks);

/// How micro_batches (at least 1) in lanes (a power of two) fall on ranks (at most lanes).
class LanePlan {
 public:
  LanePlan(std::int64_t micro_batches, std::int64_t lanes, int ranks);

  IndexRange micro_batches_of(std::int64_t lane) const { return part_of(micro_batches_, lane, lanes_); }
  IndexRange lanes_of(int rank) const { return part_of(lanes_, rank, ranks_); }
  RankPlan rank_plan(int rank) const;
  CombinePlan combine_plan() const;

 private:
  std::int64_t micro_batches_;
  std::int64_t lanes_;
  int ranks_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
