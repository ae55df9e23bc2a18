#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/exchange_thread.h"
#include "pipeline/pretrain/exchange/gathered_rows.h"
#include "pipeline/pretrain/exchange/gradient_reduction.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Sums gradients over all ranks bucket by bucket, while backward still works on later ones.
///
/// One parameter has late rows (model::decoder::GradientSink): backward ends with adding to the rows that the
/// micro-batch names. Where the late rows of all ranks together leave most of it alone, the buckets that hold nothing
/// else travel first, without those rows, and these follow at the end. The parameter may lie anywhere in the arena.
class GradientExchange {
 public:
  /// The first four outlive it. rows: of the parameter with late rows; most_rows: that a micro-batch names; most_ahead:
  /// buckets that are ready and not summed, beside those sent before the late rows, at which ready() waits.
  GradientExchange(ExchangeThread& thread, const comm::Communicator& communicator, GradientReduction& reduction,
                   const Ownership& ownership, const ParameterRows& rows, std::int64_t most_rows,
                   std::int64_t most_ahead);

  /// The late rows of this rank's micro-batch, none for a rank without: before the first call below, and on all ranks
  /// or none.
  void gather_rows(std::span<const std::uint32_t> rows);
  /// As model::decoder::GradientSink has it, of the parameter with late rows.
  void ready_but_late_rows();
  void await_late_rows();
  void ready(model::shape::ParameterRange range);
  /// Until every gradient is summed, those included that nobody said to be ready. Ends the exchange.
  void finish();

 private:
  /// The order of the buckets in this exchange, once the late rows are known.
  void decide_order();
  /// Of buckets by their place in the order.
  void begin(std::size_t end_place);
  void finish_begun(std::size_t end_place);

  ExchangeThread& thread_;
  const comm::Communicator& communicator_;
  GradientReduction& reduction_;
  const Ownership& ownership_;
  ParameterRows rows_;
  GatheredRows gathered_rows_;
  run::Worker::Ticket gathered_ = 0;
  bool order_decided_ = false;
  std::vector<std::int64_t> order_;  // of the buckets
  std::size_t early_ = 0;            // the first ones of them, sent before the late rows are final
  std::size_t most_ahead_;
  // Queued so far, of this exchange, in that order: a bucket is finished kInFlight buckets after it was begun.
  std::size_t begun_ = 0;
  std::vector<run::Worker::Ticket> finished_;  // of the jobs that finish them
};

}  // namespace chainrule::pipeline::pretrain::exchange
