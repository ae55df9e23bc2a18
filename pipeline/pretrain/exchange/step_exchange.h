#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/decoder/decoder.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/exchange_thread.h"
#include "pipeline/pretrain/exchange/gradient_exchange.h"
#include "pipeline/pretrain/exchange/gradient_reduction.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/exchange/parameter_exchange.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"
#include "pipeline/pretrain/exchange/zero_stage.h"

namespace chainrule::pipeline::pretrain::exchange {

struct StepExchangeOptions {
  ZeroStage stage = ZeroStage::one;
  std::int64_t lanes = 8;
  std::int64_t most_rows = 0;  ///< of the parameter with late rows, that a micro-batch names
  /// Buckets that are ready and not summed, beside those of that parameter, at which ready() waits.
  std::int64_t most_ahead = std::numeric_limits<std::int64_t>::max();
};

/// What ranks send each other in a step, beside the computation: gradients as backward finishes them, updated
/// parameters as the next forward pass needs them. A thread of its own does it, where there is more than one rank.
/// Every rank makes the same calls in the same order, but for those of the two interfaces, which only ranks with
/// micro-batches get.
class StepExchange final : public model::decoder::GradientSink, public model::decoder::ParameterGate {
 public:
  /// communicator and ownership outlive it; communicator is used by nobody else. rows: of the one parameter whose rows
  /// are late in backward and needed one by one in forward.
  StepExchange(const comm::Communicator& communicator, const Ownership& ownership, const ParameterRows& rows,
               const StepExchangeOptions& options);
  /// Lets what is under way end, except while an exception passes: the other ranks may then never come.
  ~StepExchange() override;

  GradientReduction& reduction() { return *reduction_; }

  /// The late rows of this rank's micro-batch in a pass that is exchanged, before it begins; none for a rank that has
  /// no micro-batch there.
  void expect_rows(std::span<const std::uint32_t> rows);
  /// Of the micro-batch of a pass that is exchanged: what of its gradients is ready. Late rows of other parameters than
  /// that one are of no account: these travel whole once ready() names them.
  void ready_but_late_rows(model::shape::ParameterRange parameter) override;
  void await_late_rows(model::shape::ParameterRange parameter) override;
  void ready(model::shape::ParameterRange range) override;
  /// Until every gradient is summed, those included that ready() never named. Ends the pass's exchange.
  void finish_reduction();

  /// Begins to send this rank's slices of parameters [arena] and to receive the others'; the span stays in place, and
  /// each part of it unread, until it was asked for or finish_sharing(). next_rows: of this rank's next micro-batch,
  /// where they are known.
  void begin_sharing(std::span<float> parameters, std::span<const std::uint32_t> next_rows);
  void need(model::shape::ParameterRange range) override;
  void need_rows(model::shape::ParameterRange parameter, std::span<const std::uint32_t> rows) override;
  /// Until all of them are there.
  void finish_sharing();

  /// Seconds in which the calls above kept the computation waiting, since this was last asked.
  double take_waited_seconds() { return thread_.take_waited_seconds(); }

  /// For measurement: without the exchange every rank goes on with its own gradients and its own slices of the weights.
  void set_enabled(bool enabled) { enabled_ = enabled; }

 private:
  /// Every rank gathers the late rows of micro-batches once the parameters are all asked for.
  void gather_expected();

  bool enabled_ = true;
  ParameterRows rows_;
  ExchangeThread thread_;
  std::unique_ptr<GradientReduction> reduction_;
  GradientExchange gradients_;
  ParameterExchange parameters_;
  std::optional<std::vector<std::uint32_t>> expected_;
};

}  // namespace chainrule::pipeline::pretrain::exchange
