#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "model/arena.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/arena_ranges.h"
#include "pipeline/pretrain/exchange/lanes.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

/// One step's gradients on this rank: the arenas in which its lanes are accumulated, and their sum over all ranks. The
/// sum has the same bits for every number of ranks up to the number of lanes. communicator and
/// ownership outlive it.
class LaneReduction {
 public:
  LaneReduction(const comm::Communicator& communicator, const Ownership& ownership);

  /// Allocates what a step by this plan needs.
  void make_room(const LanePlan& plan);
  /// How the next step's micro-batches fall on lanes: before the first step, and not while a step's sums are under way.
  void plan(const LanePlan& plan);

  /// This rank's lanes with micro-batches, in the order in which it takes them.
  const std::vector<LaneAccumulation>& lanes() const { return mine_.lanes; }

  /// Buckets that may be begun and not yet finished: while one is added up, others travel.
  static constexpr std::int64_t kInFlight = 3;

  /// The arena of lanes()[lane], for the sum of its micro-batches' gradients. Its padding is zero.
  std::span<float> arena(std::size_t lane) { return arenas_[static_cast<std::size_t>(mine_.lanes[lane].arena)].span(); }
  /// Adds a finished lane to the sums before it; for the last one begin_bucket() does so, bucket by bucket.
  void finish_lane(std::size_t lane);

  /// What the buckets leave out in this step, to be added by itself at the end; the same on every rank.
  void set_late(ArenaRanges late) { late_ = std::move(late); }
  /// Once this rank's last lane has finished a bucket, but for what is late: begins to send and receive its slices.
  /// Buckets in the same order on every rank. May run beside what writes to other buckets.
  void begin_bucket(std::int64_t bucket);
  /// Adds the oldest bucket begun over all ranks: afterwards gradients() holds the whole sum in this rank's slice of
  /// it. Throws std::runtime_error when stopped before the other ranks came.
  void finish_bucket(const std::stop_token& stop);
  /// The same for what is late, once the buckets that hold it are finished.
  void begin_late();
  void finish_late(const std::stop_token& stop);

  /// [arena]: once all is finished, the summed gradient in this rank's slices; nothing of meaning elsewhere.
  std::span<const float> gradients() const { return arenas_.front().span(); }

 private:
  struct InFlight {
    model::shape::ParameterRange own;  // this rank's slice
    std::vector<comm::Transfer> transfers;
    std::vector<float*> leaves;  // that slice of each
  };
  /// Adds this rank's last lane to the sums before it.
  void merge_last(model::shape::ParameterRange range);
  void merge(const Merge& merge, model::shape::ParameterRange range);
  /// Adds `count` elements from `offset` on of the leaves; the sum ends in leaf 0.
  void add_leaves(const std::vector<float*>& leaves, std::int64_t offset, std::int64_t count) const;

  const comm::Communicator& communicator_;
  const Ownership& ownership_;
  RankPlan mine_;
  CombinePlan combine_;
  std::vector<model::Arena> arenas_;
  model::Arena received_;  // a slice for each leaf of another rank, for each bucket in flight
  std::array<InFlight, kInFlight> in_flight_;
  std::uint64_t begun_ = 0;  // buckets, ever
  std::uint64_t finished_ = 0;
  ArenaRanges late_;
  InFlight late_in_flight_;  // its leaves hold own_late_, packed
  ArenaRanges own_late_;     // what of it lies in this rank's slices
  std::vector<float> packed_leaves_;
  std::vector<float> packed_for_others_;
  std::int64_t slice_capacity_;  // elements of the largest slice of this rank
};

}  // namespace chainrule::pipeline::pretrain::exchange
