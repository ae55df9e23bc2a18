#include "pipeline/pretrain/exchange/gradient_exchange.h"

#include <algorithm>
#include <numeric>

namespace chainrule::pipeline::pretrain::exchange {

GradientExchange::GradientExchange(ExchangeThread& thread, const comm::Communicator& communicator,
                                   GradientReduction& reduction, const Ownership& ownership, const ParameterRows& rows,
                                   std::int64_t most_rows, std::int64_t most_ahead)
    : thread_(thread),
      communicator_(communicator),
      reduction_(reduction),
      ownership_(ownership),
      rows_(rows),
      gathered_rows_(communicator, most_rows),
      // A bucket is not finished before so many are begun behind it.
      most_ahead_(static_cast<std::size_t>(std::max(most_ahead, GradientReduction::kInFlight))) {}

void GradientExchange::gather_rows(std::span<const std::uint32_t> rows) {
  if (communicator_.size() == 1) return;
  gathered_rows_.set(rows);
  gathered_ = thread_.queue([this](const std::stop_token& stop) { gathered_rows_.gather(stop); });
}

void GradientExchange::decide_order() {
  if (order_decided_) return;
  order_decided_ = true;
  order_.resize(static_cast<std::size_t>(ownership_.bucket_count()));
  std::iota(order_.begin(), order_.end(), 0);
  if (gathered_ == 0) return;
  thread_.wait(gathered_);
  std::vector<std::uint32_t> indices;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const auto of_rank = gathered_rows_.of(rank);
    indices.insert(indices.end(), of_rank.begin(), of_rank.end());
  }
  ArenaRanges late = rows_.of(indices);
  const model::shape::ParameterRange whole = rows_.with_padding();
  if (2 * elements_of(late) > whole.end - whole.begin) return;
  const IndexRange early = ownership_.buckets_within(whole);
  early_ = static_cast<std::size_t>(early.size());
  std::rotate(order_.begin(), order_.begin() + early.begin, order_.begin() + early.end);
  if (early_ > 0) reduction_.set_late(std::move(late));
}

void GradientExchange::begin(std::size_t end_place) {
  for (; begun_ < end_place; ++begun_) {
    if (begun_ >= GradientReduction::kInFlight) finish_begun(begun_ - GradientReduction::kInFlight + 1);
    thread_.queue([this, bucket = order_[begun_]](const std::stop_token&) { reduction_.begin_bucket(bucket); });
  }
}

void GradientExchange::finish_begun(std::size_t end_place) {
  while (finished_.size() < end_place) {
    finished_.push_back(thread_.queue([this](const std::stop_token& stop) { reduction_.finish_bucket(stop); }));
  }
}

void GradientExchange::ready_but_late_rows() {
  decide_order();
  begin(early_);
}

void GradientExchange::await_late_rows() {
  if (early_ == 0) return;
  finish_begun(early_);
  thread_.wait(finished_[early_ - 1]);
}

void GradientExchange::ready(model::shape::ParameterRange range) {
  decide_order();
  std::size_t end = begun_;
  while (end < order_.size() && ownership_.bucket(order_[end]).end <= range.end) ++end;
  begin(end);
  // Every rank begins buckets in this order, so those before are finished without what this rank still has to compute.
  if (begun_ - std::min(begun_, early_) > most_ahead_) thread_.wait(finished_[begun_ - early_ - most_ahead_ - 1]);
}

void GradientExchange::finish() {
  decide_order();
  begin(order_.size());
  finish_begun(order_.size());
  run::Worker::Ticket last = finished_.back();
  if (early_ > 0) {
    thread_.queue([this](const std::stop_token&) { reduction_.begin_late(); });
    last = thread_.queue([this](const std::stop_token& stop) { reduction_.finish_late(stop); });
  }
  thread_.wait(last);
  reduction_.end_exchange();
  order_decided_ = false;
  gathered_ = 0;
  early_ = 0;
  begun_ = 0;
  finished_.clear();
}

}  // namespace chainrule::pipeline::pretrain::exchange
