#include "pipeline/pretrain/exchange/gradient_exchange.h"

#include <algorithm>
#include <numeric>

namespace chainrule::pipeline::pretrain::exchange {

GradientExchange::GradientExchange(ExchangeThread& thread, const comm::Communicator& communicator,
                                   LaneReduction& reduction, const BlockOwnership& ownership, const EmbeddingRows& rows,
                                   std::int64_t most_tokens)
    : thread_(thread),
      communicator_(communicator),
      reduction_(reduction),
      ownership_(ownership),
      rows_(rows),
      inputs_(communicator, most_tokens) {}

void GradientExchange::gather_inputs(std::span<const std::uint32_t> inputs) {
  if (communicator_.size() == 1) return;
  inputs_.set(inputs);
  gathered_ = thread_.queue([this](const std::stop_token& stop) { inputs_.gather(stop); });
}

void GradientExchange::settle() {
  if (settled_) return;
  settled_ = true;
  order_.resize(static_cast<std::size_t>(ownership_.bucket_count()));
  std::iota(order_.begin(), order_.end(), 0);
  if (gathered_ == 0) return;
  thread_.wait(gathered_);
  std::vector<std::uint32_t> tokens;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const auto of_rank = inputs_.of(rank);
    tokens.insert(tokens.end(), of_rank.begin(), of_rank.end());
  }
  ArenaRanges late = rows_.of(tokens);
  const model::shape::ParameterRange all = rows_.all();
  if (2 * elements_of(late) > all.end - all.begin) return;
  const auto first_of_embedding = std::find_if(
      order_.begin(), order_.end(), [&](std::int64_t bucket) { return ownership_.bucket(bucket).begin >= all.begin; });
  early_ = static_cast<std::size_t>(order_.end() - first_of_embedding);
  std::rotate(order_.begin(), first_of_embedding, order_.end());
  if (early_ > 0) reduction_.set_late(std::move(late));
}

void GradientExchange::begin(std::size_t end_place) {
  for (; begun_ < end_place; ++begun_) {
    if (begun_ >= LaneReduction::kInFlight) finish_begun(begun_ - LaneReduction::kInFlight + 1);
    thread_.queue([this, bucket = order_[begun_]](const std::stop_token&) { reduction_.begin_bucket(bucket); });
  }
}

void GradientExchange::finish_begun(std::size_t end_place) {
  while (finished_.size() < end_place) {
    finished_.push_back(thread_.queue([this](const std::stop_token& stop) { reduction_.finish_bucket(stop); }));
  }
}

void GradientExchange::ready_but_late_rows() {
  settle();
  begin(early_);
}

void GradientExchange::await_late_rows() {
  if (early_ == 0) return;
  finish_begun(early_);
  thread_.wait(finished_[early_ - 1]);
}

void GradientExchange::ready(model::shape::ParameterRange range) {
  settle();
  std::size_t end = begun_;
  while (end < order_.size() && ownership_.bucket(order_[end]).end <= range.end) ++end;
  begin(end);
}

void GradientExchange::finish() {
  settle();
  begin(order_.size());
  finish_begun(order_.size());
  run::Worker::Ticket last = finished_.back();
  if (early_ > 0) {
    thread_.queue([this](const std::stop_token&) { reduction_.begin_late(); });
    last = thread_.queue([this](const std::stop_token& stop) { reduction_.finish_late(stop); });
  }
  thread_.wait(last);
  reduction_.set_late({});
  settled_ = false;
  gathered_ = 0;
  early_ = 0;
  begun_ = 0;
  finished_.clear();
}

}  // namespace chainrule::pipeline::pretrain::exchange
