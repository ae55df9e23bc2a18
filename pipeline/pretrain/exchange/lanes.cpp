#include "pipeline/pretrain/exchange/lanes.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

/// The largest whole subtrees inside lanes, the largest first: it takes the most arenas while it grows, so it grows
/// while none is taken.
std::vector<Subtree> largest_subtrees(IndexRange lanes) {
  std::vector<Subtree> subtrees;
  for (std::int64_t first = lanes.begin; first < lanes.end;) {
    const auto whole = first == 0 ? std::bit_floor(static_cast<std::uint64_t>(lanes.end))
                                  : std::uint64_t{1} << std::countr_zero(static_cast<std::uint64_t>(first));
    auto size = static_cast<std::int64_t>(whole);
    while (first + size > lanes.end) size /= 2;
    subtrees.push_back({first, size});
    first += size;
  }
  std::stable_sort(subtrees.begin(), subtrees.end(),
                   [](const Subtree& a, const Subtree& b) { return a.lanes > b.lanes; });
  return subtrees;
}

}  // namespace

IndexRange part_of(std::int64_t count, std::int64_t part, std::int64_t parts) {
  return {part * count / parts, (part + 1) * count / parts};
}

std::int64_t default_lanes(int ranks) {
  return std::max<std::int64_t>(8, static_cast<std::int64_t>(std::bit_ceil(static_cast<unsigned>(ranks))));
}

LanePlan::LanePlan(std::int64_t micro_batches, std::int64_t lanes, int ranks)
    : micro_batches_(micro_batches), lanes_(lanes), ranks_(ranks) {}

RankPlan LanePlan::rank_plan(int rank) const {
  RankPlan plan;
  // Within a subtree lanes are taken in order; a finished lane joins the sum before it as soon as they are siblings, as
  // a binary counter carries. Arena i holds pending[i].
  std::vector<Subtree> pending;
  for (const Subtree& whole : largest_subtrees(lanes_of(rank))) {
    const std::size_t before = pending.size();
    for (std::int64_t lane = whole.first_lane; lane < whole.first_lane + whole.lanes; ++lane) {
      std::vector<Merge> merges;
      if (const IndexRange micro_batches = micro_batches_of(lane); micro_batches.size() > 0) {
        pending.push_back({lane, 1});
        plan.lanes.push_back({micro_batches, static_cast<std::int64_t>(pending.size()) - 1, {}});
        plan.arenas = std::max(plan.arenas, static_cast<std::int64_t>(pending.size()));
      }
      // Once the lanes up to this one fill a subtree, whatever of it is pending is its sum.
      for (std::int64_t size = 2; size <= whole.lanes && (lane + 1) % size == 0; size *= 2) {
        const std::int64_t first = lane + 1 - size;
        while (pending.size() > before + 1 && pending[pending.size() - 2].first_lane >= first) {
          const auto last = static_cast<std::int64_t>(pending.size()) - 1;
          plan.lanes.back().merges.push_back({last - 1, last});
          pending.pop_back();
        }
        if (pending.size() > before && pending.back().first_lane >= first) pending.back() = {first, size};
      }
    }
  }
  plan.subtrees = std::move(pending);
  return plan;
}

CombinePlan LanePlan::combine_plan() const {
  CombinePlan plan;
  std::vector<std::int64_t> first_lanes;
  for (int rank = 0; rank < ranks_; ++rank) {
    const std::vector<Subtree> kept = rank_plan(rank).subtrees;
    std::vector<std::int64_t> arenas(kept.size());
    std::iota(arenas.begin(), arenas.end(), std::int64_t{0});
    const auto first_lane = [&](std::int64_t arena) { return kept[static_cast<std::size_t>(arena)].first_lane; };
    std::sort(arenas.begin(), arenas.end(), [&](auto a, auto b) { return first_lane(a) < first_lane(b); });
    for (const std::int64_t arena : arenas) {
      plan.leaves.push_back({rank, arena});
      first_lanes.push_back(first_lane(arena));
    }
  }
  // Level by level: the leaves inside one subtree of `size` lanes are by now at most two sums.
  std::vector<std::int64_t> open(plan.leaves.size());  // leaves that still hold a sum of their own
  std::iota(open.begin(), open.end(), std::int64_t{0});
  for (std::int64_t size = 2; size <= lanes_; size *= 2) {
    std::vector<std::int64_t> next;
    for (const std::int64_t leaf : open) {
      const auto node_of = [&](std::int64_t of) { return first_lanes[static_cast<std::size_t>(of)] / size; };
      if (!next.empty() && node_of(next.back()) == node_of(leaf)) {
        plan.merges.push_back({next.back(), leaf});
      } else {
        next.push_back(leaf);
      }
    }
    open = std::move(next);
  }
  return plan;
}

}  // namespace chainrule::pipeline::pretrain::exchange
