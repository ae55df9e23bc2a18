#include "pipeline/pretrain/step_exchange.h"

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

void StepExchange::reduce_until(std::int64_t end_bucket) {
  for (; reduced_buckets_ < end_bucket; ++reduced_buckets_) {
    if (worker_ == nullptr) {
      reduction_.reduce(reduced_buckets_, {});
      continue;
    }
    last_reduction_ = worker_->queue(
        [this, bucket = reduced_buckets_](const std::stop_token& stop) { reduction_.reduce(bucket, stop); });
  }
}

void StepExchange::ready(model::ParameterRange range) {
  if (!enabled_) return;
  std::int64_t end = reduced_buckets_;
  while (end < ownership_.bucket_count() && ownership_.bucket(end).end <= range.end) ++end;
  reduce_until(end);
}

void StepExchange::finish_reduction() {
  if (!enabled_) return;
  reduce_until(ownership_.bucket_count());
  if (worker_ != nullptr) wait(last_reduction_);
  reduced_buckets_ = 0;
}

void StepExchange::share(std::int64_t bucket, std::span<float> parameters, const std::stop_token& stop) {
  std::vector<std::size_t> part_bytes;
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const model::ParameterRange slice = ownership_.slice(bucket, rank);
    part_bytes.push_back(static_cast<std::size_t>(slice.end - slice.begin) * sizeof(float));
  }
  const model::ParameterRange range = ownership_.bucket(bucket);
  const auto whole =
      parameters.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.end - range.begin));
  Transfer transfer = communicator_.begin_all_gather(std::as_writable_bytes(whole), part_bytes);
  wait_beside_computation(std::span(&transfer, 1), stop);
}

void StepExchange::begin_sharing(std::span<float> parameters) {
  if (!enabled_ || worker_ == nullptr) return;
  sharing_ = true;
  before_sharing_ = last_reduction_;
  for (std::int64_t bucket = ownership_.bucket_count() - 1; bucket >= 0; --bucket) {
    worker_->queue([this, bucket, parameters](const std::stop_token& stop) { share(bucket, parameters, stop); });
  }
}

void StepExchange::need(model::ParameterRange range) {
  if (!sharing_) return;
  const std::int64_t first_bucket = ownership_.bucket_of(range.begin);
  wait(before_sharing_ + static_cast<Worker::Ticket>(ownership_.bucket_count() - first_bucket));
  sharing_ = first_bucket > 0;
}

void StepExchange::finish_sharing() { need({0, 1}); }

}  // namespace chainrule::pipeline
