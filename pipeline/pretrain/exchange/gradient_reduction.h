#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "model/arena.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/arena_ranges.h"
#include "pipeline/pretrain/exchange/ownership.h"

namespace chainrule::pipeline::pretrain::exchange {

/// One of the times that a rank goes through the model in a step, or only takes part in an exchange.
struct Pass {
  std::optional<std::int64_t> micro_batch;  ///< of the step; none: this rank has none here
  bool accumulates = false;                 ///< its gradients join what is in the arena rather than replace it
  bool exchanged = false;                   ///< an exchange of all ranks begins beside its backward pass
};

/// One step's gradients on this rank, and their sum over all ranks, which has the same bits on any number of ranks up
/// to the lanes. Which passes a step has, and in which order it adds, is a derived class's; here is how gradients
/// travel: in an exchange some ranks have leaves (arenas to be added up), and each bucket's slices of them go to the
/// slices' owners. communicator and ownership outlive it.
class GradientReduction {
 public:
  GradientReduction(const comm::Communicator& communicator, const Ownership& ownership);
  virtual ~GradientReduction() = default;
  GradientReduction(const GradientReduction&) = delete;
  GradientReduction& operator=(const GradientReduction&) = delete;

  /// Allocates what a step of so many micro-batches needs.
  virtual void make_room(std::int64_t micro_batches) = 0;
  /// How the next steps' micro-batches fall on ranks: before the first step, and not while an exchange is under way.
  virtual void plan(std::int64_t micro_batches) = 0;
  /// Of this rank in a step, in order. Every rank has as many that are exchanged, the last one among them.
  const std::vector<Pass>& passes() const { return passes_; }

  /// The arena for the gradients of passes()[pass]; its padding is zero. Not while an exchange is under way.
  virtual std::span<float> begin_pass(std::size_t pass) = 0;
  /// Once they are there, but where the pass is exchanged: begin_bucket() then does the like, bucket by bucket.
  virtual void end_pass(std::size_t pass) = 0;

  /// Buckets that may be begun and not yet finished: while one is added up, others travel.
  static constexpr std::int64_t kInFlight = 3;

  /// What the buckets leave out in this exchange, to be added by itself at the end; the same on every rank.
  void set_late(ArenaRanges late) { late_ = std::move(late); }
  /// Once this rank's pass has finished a bucket, but for what is late: begins to send and receive its slices.
  /// Buckets in the same order on every rank. May run beside what writes to other buckets.
  void begin_bucket(std::int64_t bucket);
  /// Adds the oldest bucket begun over all ranks, in this rank's slice of it. Throws std::runtime_error when stopped
  /// before the other ranks came.
  void finish_bucket(const std::stop_token& stop);
  /// The same for what is late, once the buckets that hold it are finished.
  void begin_late();
  void finish_late(const std::stop_token& stop);
  /// Once all buckets, and what is late, are finished.
  virtual void end_exchange() { late_.clear(); }

  /// [arena]: after a step's last exchange the summed gradient in this rank's slices; nothing of meaning elsewhere.
  virtual std::span<const float> gradients() const = 0;

 protected:
  struct Leaf {
    int rank = 0;
    float* arena = nullptr;  ///< null where the rank is another
  };

  const comm::Communicator& communicator() const { return communicator_; }
  const Ownership& ownership() const { return ownership_; }
  const ArenaRanges& late() const { return late_; }
  void set_passes(std::vector<Pass> passes) { passes_ = std::move(passes); }
  /// For so many leaves of other ranks in an exchange.
  void make_room_for_leaves(std::int64_t foreign);
  /// Of the next exchange, the same on every rank but for where they lie.
  void set_leaves(std::vector<Leaf> leaves) { leaves_ = std::move(leaves); }

 private:
  /// A range of this rank's leaves is about to be sent.
  virtual void complete(model::shape::ParameterRange range) = 0;
  /// Adds up a range that is this rank's. Its elements in leaf i begin at leaves[i] + offset, and may be overwritten.
  virtual void combine(const std::vector<float*>& leaves, std::int64_t offset, model::shape::ParameterRange range) = 0;
  /// A bucket is finished, but for what is late, and nobody reads this rank's leaves there any more.
  virtual void finished(model::shape::ParameterRange bucket) = 0;

  struct InFlight {
    std::int64_t bucket = 0;
    model::shape::ParameterRange own;  // this rank's slice
    std::vector<comm::Transfer> transfers;
    std::vector<float*> leaves;  // that slice of each
  };

  const comm::Communicator& communicator_;
  const Ownership& ownership_;
  std::vector<Pass> passes_;
  std::vector<Leaf> leaves_;
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
