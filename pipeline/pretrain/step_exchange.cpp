#include "pipeline/pretrain/step_exchange.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

namespace chainrule::pipeline {

StepExchange::StepExchange(const Communicator& communicator, const LanePlan& plan, const BlockOwnership& ownership)
    : communicator_(communicator), ownership_(ownership), reduction_(communicator_, plan, ownership) {
  if (communicator.size() > 1) worker_ = std::make_unique<Worker>();
}

StepExchange::~StepExchange() {
  if (std::uncaught_exceptions() == 0) finish_sharing();
}

void StepExchange::wait(Worker::Ticket ticket) {
  const auto started = std::chrono::steady_clock::now();
  worker_->wait(ticket);
  waited_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

double StepExchange::take_waited_seconds() { return std::exchange(waited_seconds_, 0.0); }

void StepExchange::queue(Worker::Job job) {
  if (worker_ == nullptr) {
    job({});
  } else {
    last_job_ = worker_->queue(std::move(job));
  }
}

void StepExchange::begin_reductions(std::int64_t end_bucket) {
  for (; begun_buckets_ < end_bucket; ++begun_buckets_) {
    finish_reductions(begun_buckets_ - LaneReduction::kInFlight + 1);
    queue([this, bucket = begun_buckets_](const std::stop_token&) { reduction_.begin_bucket(bucket); });
  }
}

void StepExchange::finish_reductions(std::int64_t end_bucket) {
  for (; finished_buckets_ < end_bucket; ++finished_buckets_) {
    queue([this, bucket = finished_buckets_](const std::stop_token& stop) { reduction_.finish_bucket(bucket, stop); });
  }
}

void StepExchange::ready(model::ParameterRange range) {
  if (!enabled_) return;
  std::int64_t end = begun_buckets_;
  while (end < ownership_.bucket_count() && ownership_.bucket(end).end <= range.end) ++end;
  begin_reductions(end);
}

void StepExchange::finish_reduction() {
  if (!enabled_) return;
  begin_reductions(ownership_.bucket_count());
  finish_reductions(ownership_.bucket_count());
  if (worker_ != nullptr) wait(last_job_);
  begun_buckets_ = 0;
  finished_buckets_ = 0;
}

Transfer StepExchange::begin_share(std::int64_t bucket, std::span<float> parameters) const {
  std::vector<std::size_t> part_bytes;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const model::ParameterRange slice = ownership_.slice(bucket, rank);
    part_bytes.push_back(static_cast<std::size_t>(slice.end - slice.begin) * sizeof(float));
  }
  const model::ParameterRange range = ownership_.bucket(bucket);
  const auto whole =
      parameters.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin));
  return communicator_.begin_all_gather(std::as_writable_bytes(whole), part_bytes);
}

void StepExchange::begin_sharing(std::span<float> parameters) {
  if (!enabled_ || worker_ == nullptr) return;
  sharing_ = true;
  const std::int64_t count = ownership_.bucket_count();
  shares_.resize(static_cast<std::size_t>(count));
  share_tickets_.resize(shares_.size());
  const auto begin = [&](std::int64_t bucket) {
    queue([this, bucket, parameters](const std::stop_token&) {
      shares_[static_cast<std::size_t>(bucket)] = begin_share(bucket, parameters);
    });
  };
  // From the last to the first, as forward needs them, several on their way at a time.
  constexpr std::int64_t kAhead = LaneReduction::kInFlight - 1;
  for (std::int64_t bucket = count - 1; bucket >= std::max<std::int64_t>(0, count - kAhead); --bucket) begin(bucket);
  for (std::int64_t bucket = count - 1; bucket >= 0; --bucket) {
    if (bucket >= kAhead) begin(bucket - kAhead);
    queue([this, bucket](const std::stop_token& stop) {
      wait_beside_computation(std::span(&shares_[static_cast<std::size_t>(bucket)], 1), stop);
    });
    share_tickets_[static_cast<std::size_t>(bucket)] = last_job_;
  }
}

void StepExchange::need(model::ParameterRange range) {
  if (!sharing_) return;
  const std::int64_t first_bucket = ownership_.bucket_of(range.begin);
  wait(share_tickets_[static_cast<std::size_t>(first_bucket)]);
  sharing_ = first_bucket > 0;
}

void StepExchange::finish_sharing() { need({0, 1}); }

}  // namespace chainrule::pipeline
