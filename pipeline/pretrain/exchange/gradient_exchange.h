#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/embedding_rows.h"
#include "pipeline/pretrain/exchange/exchange_thread.h"
#include "pipeline/pretrain/exchange/gathered_inputs.h"
#include "pipeline/pretrain/exchange/lane_reduction.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Sums a step's gradients over all ranks bucket by bucket, while backward still works on later ones.
///
/// The token embedding is also the output layer: backward begins with its gradients and ends with adding to the rows of
/// the micro-batch's inputs. Where the inputs of all ranks together leave most rows alone, the buckets of the embedding
/// travel first, without those rows, and these follow at the end.
class GradientExchange {
 public:
  /// All three outlive it. most_tokens: of a micro-batch.
  GradientExchange(ExchangeThread& thread, const comm::Communicator& communicator, LaneReduction& reduction,
                   const BlockOwnership& ownership, const EmbeddingRows& rows, std::int64_t most_tokens);

  /// The inputs of this rank's last micro-batch in the step, none for a rank without: before ready_but_late_rows(), and
  /// on all ranks or none.
  void gather_inputs(std::span<const std::uint32_t> inputs);
  /// As model::GradientSink has it.
  void ready_but_late_rows();
  void await_late_rows();
  void ready(model::shape::ParameterRange range);
  /// Until every gradient is summed, those included that nobody said to be ready. Ends the step's reduction.
  void finish();

 private:
  /// Settles the order of the buckets, once the inputs are known.
  void settle();
  /// Of buckets by their place in the order.
  void begin(std::size_t end_place);
  void finish_begun(std::size_t end_place);

  ExchangeThread& thread_;
  const comm::Communicator& communicator_;
  LaneReduction& reduction_;
  BlockOwnership ownership_;
  EmbeddingRows rows_;
  GatheredInputs inputs_;
  run::Worker::Ticket gathered_ = 0;
  bool settled_ = false;
  std::vector<std::int64_t> order_;  // of the buckets
  std::size_t early_ = 0;            // the first ones of them, sent before the inputs' rows are final
  // Queued so far, of this step, in that order: a bucket is finished kInFlight buckets after it was begun.
  std::size_t begun_ = 0;
  std::vector<run::Worker::Ticket> finished_;  // of the jobs that finish them
};

}  // namespace chainrule::pipeline::pretrain::exchange
