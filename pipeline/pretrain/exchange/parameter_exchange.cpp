#include "pipeline/pretrain/exchange/parameter_exchange.h"

#include <algorithm>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

std::int64_t first_bucket_within(const BlockOwnership& ownership, std::int64_t begin) {
  const std::int64_t bucket = ownership.bucket_of(begin);
  return ownership.bucket(bucket).begin == begin ? bucket : bucket + 1;
}

}  // namespace

ParameterExchange::ParameterExchange(ExchangeThread& thread, const comm::Communicator& communicator,
                                     const BlockOwnership& ownership, const EmbeddingRows& rows,
                                     std::int64_t most_tokens)
    : thread_(thread),
      communicator_(communicator),
      ownership_(ownership),
      rows_(rows),
      first_of_embedding_(first_bucket_within(ownership, rows.all().begin)),
      inputs_(communicator, most_tokens),
      transfers_(static_cast<std::size_t>(ownership.bucket_count())),
      tickets_(transfers_.size()) {}

comm::Transfer ParameterExchange::begin_bucket(std::int64_t bucket) const {
  std::vector<std::size_t> part_bytes;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const model::shape::ParameterRange slice = ownership_.slice(bucket, rank);
    part_bytes.push_back(static_cast<std::size_t>(slice.end - slice.begin) * sizeof(float));
  }
  const model::shape::ParameterRange range = ownership_.bucket(bucket);
  const auto whole =
      parameters_.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin));
  return communicator_.begin_all_gather(std::as_writable_bytes(whole), part_bytes);
}

void ParameterExchange::queue_buckets(std::int64_t first, std::int64_t end) {
  const auto begin = [&](std::int64_t bucket) {
    thread_.queue([this, bucket](const std::stop_token&) {
      transfers_[static_cast<std::size_t>(bucket)] = begin_bucket(bucket);
    });
  };
  constexpr std::int64_t kAhead = 2;  // on their way while one is waited for
  for (std::int64_t bucket = end - 1; bucket >= std::max(first, end - kAhead); --bucket) begin(bucket);
  for (std::int64_t bucket = end - 1; bucket >= first; --bucket) {
    if (bucket - kAhead >= first) begin(bucket - kAhead);
    tickets_[static_cast<std::size_t>(bucket)] = thread_.queue([this, bucket](const std::stop_token& stop) {
      comm::wait_beside_computation(std::span(&transfers_[static_cast<std::size_t>(bucket)], 1), stop);
    });
  }
}

void ParameterExchange::exchange_rows(const std::stop_token& stop) {
  inputs_.gather(stop);
  const int own_rank = communicator_.rank();
  const ArenaRanges own_slices = common_part(ownership_.slices_of(own_rank), {rows_.all()});
  const ArenaRanges wanted = rows_.of(inputs_.of(own_rank));
  std::vector<ArenaRanges> to(static_cast<std::size_t>(communicator_.size()));
  std::vector<ArenaRanges> from(to.size());
  std::int64_t sent = 0;
  std::int64_t received = 0;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    if (rank == own_rank) continue;
    const auto at = static_cast<std::size_t>(rank);
    to[at] = common_part(rows_.of(inputs_.of(rank)), own_slices);
    from[at] = common_part(wanted, ownership_.slices_of(rank));
    sent += elements_of(to[at]);
    received += elements_of(from[at]);
  }
  sent_rows_.resize(static_cast<std::size_t>(sent));
  received_rows_.resize(static_cast<std::size_t>(received));
  constexpr int kTag = 0;
  std::vector<comm::Transfer> transfers;
  const auto part = [](float*& room, const ArenaRanges& ranges) {
    const auto values = std::span(room, static_cast<std::size_t>(elements_of(ranges)));
    room += values.size();
    return values;
  };
  float* room = received_rows_.data();
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const auto values = part(room, from[static_cast<std::size_t>(rank)]);
    if (!values.empty()) transfers.push_back(communicator_.receive(std::as_writable_bytes(values), rank, kTag));
  }
  room = sent_rows_.data();
  for (int step = 1; step < communicator_.size(); ++step) {
    const int rank = (own_rank + step) % communicator_.size();  // not everybody to rank 0 first
    const ArenaRanges& ranges = to[static_cast<std::size_t>(rank)];
    const auto values = part(room, ranges);
    pack(parameters_.data(), ranges, values.data());
    if (!values.empty()) transfers.push_back(communicator_.send(std::as_bytes(values), rank, kTag));
  }
  comm::wait_beside_computation(transfers, stop);
  room = received_rows_.data();
  for (const ArenaRanges& ranges : from) unpack(part(room, ranges).data(), ranges, parameters_.data());
}

void ParameterExchange::begin(std::span<float> parameters, std::span<const std::uint32_t> next_inputs) {
  if (communicator_.size() == 1) return;
  finish();
  under_way_ = true;
  embedding_queued_ = false;
  rows_in_use_ = false;
  parameters_ = parameters;
  next_inputs_.assign(next_inputs.begin(), next_inputs.end());
  inputs_.set(next_inputs);
  rows_ticket_ = thread_.queue([this](const std::stop_token& stop) { exchange_rows(stop); });
  queue_buckets(0, first_of_embedding_);
}

void ParameterExchange::queue_embedding() {
  if (!embedding_queued_) queue_buckets(first_of_embedding_, ownership_.bucket_count());
  embedding_queued_ = true;
}

void ParameterExchange::need(model::shape::ParameterRange range) {
  if (!under_way_) return;
  if (rows_in_use_) queue_embedding();
  const std::int64_t last = ownership_.bucket_of(range.end - 1);
  if (last >= first_of_embedding_) queue_embedding();
  for (std::int64_t bucket = ownership_.bucket_of(range.begin); bucket <= last; ++bucket) {
    thread_.wait(tickets_[static_cast<std::size_t>(bucket)]);
  }
}

void ParameterExchange::need_rows(std::span<const std::uint32_t> tokens) {
  if (!under_way_) return;
  if (!std::ranges::equal(tokens, next_inputs_)) {
    need(rows_.all());
    return;
  }
  thread_.wait(rows_ticket_);
  rows_in_use_ = true;
}

void ParameterExchange::finish() {
  if (!under_way_) return;
  queue_embedding();
  thread_.wait(std::ranges::max(tickets_));
  under_way_ = false;
}

}  // namespace chainrule::pipeline::pretrain::exchange
