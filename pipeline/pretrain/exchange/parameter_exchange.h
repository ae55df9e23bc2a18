#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/exchange_thread.h"
#include "pipeline/pretrain/exchange/gathered_rows.h"
#include "pipeline/pretrain/exchange/ownership.h"
#include "pipeline/pretrain/exchange/parameter_rows.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Gives every rank the parameters that the others have updated, in the order in which the next forward pass needs
/// them. It begins with the rows of one parameter that its micro-batch names (those that are late in backward) and goes
/// from the arena's end to its beginning; as a whole that parameter is needed last, if at all, and comes last.
class ParameterExchange {
 public:
  /// The first three outlive it. rows: of the parameter that is needed row by row; most_rows: that a micro-batch names.
  ParameterExchange(ExchangeThread& thread, const comm::Communicator& communicator, const Ownership& ownership,
                    const ParameterRows& rows, std::int64_t most_rows);

  /// Begins to send this rank's slices of parameters [arena] and to receive the others'; the span stays in place, and
  /// each part of it unread, until it was asked for below. next_rows: that this rank's next micro-batch will name, as
  /// far as known.
  void begin(std::span<float> parameters, std::span<const std::uint32_t> next_rows);
  /// As model::decoder::ParameterGate has it.
  void need(model::shape::ParameterRange range);
  void need_rows(std::span<const std::uint32_t> rows);
  /// Whether every transfer that begin() calls for is queued.
  bool all_queued() const { return !under_way_ || last_queued_; }
  /// Until all parameters are there.
  void finish();

 private:
  /// Of this rank's row pieces for the others, and theirs for this one.
  void exchange_rows(const std::stop_token& stop);
  /// In this order.
  void queue_buckets(const std::vector<std::int64_t>& buckets);
  comm::Transfer begin_bucket(std::int64_t bucket) const;
  void queue_last();

  ExchangeThread& thread_;
  const comm::Communicator& communicator_;
  const Ownership& ownership_;
  ParameterRows rows_;
  IndexRange last_;  // buckets that hold nothing but the parameter of rows_
  GatheredRows gathered_rows_;
  std::span<float> parameters_;
  std::vector<comm::Transfer> transfers_;     // of each bucket
  std::vector<run::Worker::Ticket> tickets_;  // of the job that waits for it
  std::vector<std::uint32_t> next_rows_;
  run::Worker::Ticket rows_ticket_ = 0;
  std::vector<float> sent_rows_;
  std::vector<float> received_rows_;
  bool under_way_ = false;
  bool last_queued_ = false;
  bool rows_in_use_ = false;
};

}  // namespace chainrule::pipeline::pretrain::exchange
