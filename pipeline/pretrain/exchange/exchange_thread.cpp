#include "pipeline/pretrain/exchange/exchange_thread.h"

#include <chrono>
#include <utility>

#include "pipeline/comm/wait.h"

namespace chainrule::pipeline::pretrain::exchange {

ExchangeThread::ExchangeThread(int ranks) : worker_(ranks > 1 ? std::make_unique<run::Worker>() : nullptr) {}

run::Worker::Ticket ExchangeThread::queue(run::Worker::Job job) {
  if (worker_ != nullptr) return worker_->queue(std::move(job));
  job({});
  return 0;
}

void ExchangeThread::wait(run::Worker::Ticket ticket) {
  if (worker_ == nullptr) return;
  const auto started = std::chrono::steady_clock::now();
  const comm::WaitForRanks wait;
  worker_->wait(ticket);
  waited_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

double ExchangeThread::take_waited_seconds() { return std::exchange(waited_seconds_, 0.0); }

}  // namespace chainrule::pipeline::pretrain::exchange
