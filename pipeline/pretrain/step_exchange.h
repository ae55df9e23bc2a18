#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/decoder.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/block_ownership.h"
#include "pipeline/pretrain/lane_reduction.h"
#include "pipeline/worker.h"

namespace chainrule::pipeline {

/// What ranks send each other in a step, beside the computation: gradients are summed bucket by bucket while backward
/// still works on later ones, and updated parameters travel in the order in which the next forward pass needs them. A
/// thread of its own does it, where there is more than one rank. Every rank makes the same calls in the same order.
class StepExchange final : public model::GradientSink, public model::ParameterGate {
 public:
  /// communicator outlives it and is used by nobody else.
  StepExchange(const Communicator& communicator, const LanePlan& plan, const BlockOwnership& ownership);
  /// Lets what is under way end, except while an exception passes: the other ranks may then never come.
  ~StepExchange() override;

  LaneReduction& reduction() { return reduction_; }

  /// Of the last micro-batch on this rank: hands its finished buckets to the thread.
  void ready(model::ParameterRange range) override;
  /// Until every gradient is summed, those included that ready() never named. Ends the step's reduction.
  void finish_reduction();

  /// Begins to send this rank's slices of parameters [arena] and to receive the others'; the span stays in place, and
  /// each part of it unread, until need() or finish_sharing().
  void begin_sharing(std::span<float> parameters);
  /// Until this range of the parameters is there.
  void need(model::ParameterRange range) override;
  /// Until all of them are.
  void finish_sharing();

  /// Seconds in which the calls above kept the computation waiting, since this was last asked.
  double take_waited_seconds();

  /// For measurement: without the exchange every rank goes on with its own gradients and its own slices of the weights.
  void set_enabled(bool enabled) { enabled_ = enabled; }

 private:
  void begin_reductions(std::int64_t end_bucket);
  void finish_reductions(std::int64_t end_bucket);
  Transfer begin_share(std::int64_t bucket, std::span<float> parameters) const;
  /// Does the job now where there is no thread.
  void queue(Worker::Job job);
  void wait(Worker::Ticket ticket);

  const Communicator& communicator_;
  BlockOwnership ownership_;
  LaneReduction reduction_;
  bool enabled_ = true;
  // Queued so far, of this step: a bucket is finished kInFlight buckets after it was begun.
  std::int64_t begun_buckets_ = 0;
  std::int64_t finished_buckets_ = 0;
  Worker::Ticket last_job_ = 0;
  std::vector<Transfer> shares_;               // of each bucket
  std::vector<Worker::Ticket> share_tickets_;  // of the job that waits for it
  bool sharing_ = false;
  double waited_seconds_ = 0;
  std::unique_ptr<Worker> worker_;  // none on one rank; last: it uses all of the above
};

}  // namespace chainrule::pipeline
