#include "pipeline/pretrain/exchange/parameter_exchange.h"

#include <algorithm>
#include <initializer_list>

namespace chainrule::pipeline::pretrain::exchange {
namespace {

std::vector<std::int64_t> from_last_to_first(std::initializer_list<IndexRange> ranges) {
  std::vector<std::int64_t> indices;
  for (const IndexRange& range : ranges) {
    for (std::int64_t index = range.end - 1; index >= range.begin; --index) indices.push_back(index);
  }
  return indices;
}

}  // namespace

ParameterExchange::ParameterExchange(ExchangeThread& thread, const comm::Communicator& communicator,
                                     const Ownership& ownership, const ParameterRows& rows, std::int64_t most_rows)
    : thread_(thread),
      communicator_(communicator),
      ownership_(ownership),
      rows_(rows),
      last_(ownership.buckets_within(rows.with_padding())),
      gathered_rows_(communicator, most_rows),
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

void ParameterExchange::queue_buckets(const std::vector<std::int64_t>& buckets) {
  const auto begin = [&](std::int64_t bucket) {
    thread_.queue([this, bucket](const std::stop_token&) {
      transfers_[static_cast<std::size_t>(bucket)] = begin_bucket(bucket);
    });
  };
  constexpr std::size_t kAhead = 2;  // on their way while one is waited for
  for (std::size_t i = 0; i < std::min(kAhead, buckets.size()); ++i) begin(buckets[i]);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (i + kAhead < buckets.size()) begin(buckets[i + kAhead]);
    tickets_[static_cast<std::size_t>(buckets[i])] =
        thread_.queue([this, bucket = buckets[i]](const std::stop_token& stop) {
          comm::wait_beside_computation(std::span(&transfers_[static_cast<std::size_t>(bucket)], 1), stop);
        });
  }
}

void ParameterExchange::exchange_rows(const std::stop_token& stop) {
  gathered_rows_.gather(stop);
  const int own_rank = communicator_.rank();
  const ArenaRanges own_slices = common_part(ownership_.slices_of(own_rank), {rows_.all()});
  const ArenaRanges wanted = rows_.of(gathered_rows_.of(own_rank));
  std::vector<ArenaRanges> to(static_cast<std::size_t>(communicator_.size()));
  std::vector<ArenaRanges> from(to.size());
  std::int64_t sent = 0;
  std::int64_t received = 0;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    if (rank == own_rank) continue;
    const auto at = static_cast<std::size_t>(rank);
    to[at] = common_part(rows_.of(gathered_rows_.of(rank)), own_slices);
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

void ParameterExchange::begin(std::span<float> parameters, std::span<const std::uint32_t> next_rows) {
  if (communicator_.size() == 1) return;
  finish();
  under_way_ = true;
  last_queued_ = last_.size() == 0;  // then nobody asks for them
  rows_in_use_ = false;
  parameters_ = parameters;
  next_rows_.assign(next_rows.begin(), next_rows.end());
  gathered_rows_.set(next_rows);
  rows_ticket_ = thread_.queue([this](const std::stop_token& stop) { exchange_rows(stop); });
  queue_buckets(from_last_to_first({{last_.end, ownership_.bucket_count()}, {0, last_.begin}}));
}

void ParameterExchange::queue_last() {
  if (!last_queued_) queue_buckets(from_last_to_first({last_}));
  last_queued_ = true;
}

void ParameterExchange::need(model::shape::ParameterRange range) {
  if (!under_way_) return;
  const IndexRange needed = {ownership_.bucket_of(range.begin), ownership_.bucket_of(range.end - 1) + 1};
  if (rows_in_use_ || (needed.begin < last_.end && last_.begin < needed.end)) queue_last();
  for (std::int64_t bucket = needed.begin; bucket < needed.end; ++bucket) {
    thread_.wait(tickets_[static_cast<std::size_t>(bucket)]);
  }
}

void ParameterExchange::need_rows(std::span<const std::uint32_t> rows) {
  if (!under_way_) return;
  if (!std::ranges::equal(rows, next_rows_)) {
    need(rows_.all());
    return;
  }
  thread_.wait(rows_ticket_);
  // Buckets that hold other parameters too write to their part of the rows.
  const model::shape::ParameterRange all = rows_.all();
  for (std::int64_t bucket = ownership_.bucket_of(all.begin); bucket <= ownership_.bucket_of(all.end - 1); ++bucket) {
    if (bucket < last_.begin || bucket >= last_.end) thread_.wait(tickets_[static_cast<std::size_t>(bucket)]);
  }
  rows_in_use_ = true;
}

void ParameterExchange::finish() {
  if (!under_way_) return;
  queue_last();
  thread_.wait(std::ranges::max(tickets_));
  under_way_ = false;
}

}  // namespace chainrule::pipeline::pretrain::exchange
