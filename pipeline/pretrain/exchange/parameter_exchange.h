#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/exchange/block_ownership.h"
#include "pipeline/pretrain/exchange/embedding_rows.h"
#include "pipeline/pretrain/exchange/exchange_thread.h"
#include "pipeline/pretrain/exchange/gathered_inputs.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Gives every rank the parameters that the others have updated, in the order in which the next forward pass needs
/// them: of the token embedding the rows of the next micro-batch, then the layers', then the whole embedding, which is
/// the output layer too.
class ParameterExchange {
 public:
  /// All three outlive it. most_tokens: of a micro-batch.
  ParameterExchange(ExchangeThread& thread, const comm::Communicator& communicator, const BlockOwnership& ownership,
                    const EmbeddingRows& rows, std::int64_t most_tokens);

  /// Begins to send this rank's slices of parameters [arena] and to receive the others'; the span stays in place, and
  /// each part of it unread, until it was asked for below. next_inputs: what this rank's next micro-batch will be, as
  /// far as known.
  void begin(std::span<float> parameters, std::span<const std::uint32_t> next_inputs);
  /// As model::ParameterGate has it.
  void need(model::shape::ParameterRange range);
  void need_rows(std::span<const std::uint32_t> tokens);
  /// Whether every transfer that begin() calls for is queued.
  bool all_queued() const { return !under_way_ || embedding_queued_; }
  /// Until all parameters are there.
  void finish();

 private:
  /// Of this rank's row pieces for the others, and theirs for this one.
  void exchange_rows(const std::stop_token& stop);
  /// Of the buckets from the last below end down to first.
  void queue_buckets(std::int64_t first, std::int64_t end);
  comm::Transfer begin_bucket(std::int64_t bucket) const;
  void queue_embedding();

  ExchangeThread& thread_;
  const comm::Communicator& communicator_;
  BlockOwnership ownership_;
  EmbeddingRows rows_;
  std::int64_t first_of_embedding_;  // bucket that holds nothing else
  GatheredInputs inputs_;
  std::span<float> parameters_;
  std::vector<comm::Transfer> transfers_;     // of each bucket
  std::vector<run::Worker::Ticket> tickets_;  // of the job that waits for it
  std::vector<std::uint32_t> next_inputs_;
  run::Worker::Ticket rows_ticket_ = 0;
  std::vector<float> sent_rows_;
  std::vector<float> received_rows_;
  bool under_way_ = false;
  bool embedding_queued_ = false;
  bool rows_in_use_ = false;
};

}  // namespace chainrule::pipeline::pretrain::exchange
