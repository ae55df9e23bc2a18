#include "pipeline/run/worker.h"

#include <omp.h>

#include <utility>

namespace chainrule::pipeline::run {

Worker::Worker() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

Worker::Ticket Worker::queue(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
  return ++queued_;
}

void Worker::wait(Ticket ticket) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ >= ticket || failure_ != nullptr; });
  if (done_ < ticket) std::rethrow_exception(failure_);
}

void Worker::run(const std::stop_token& stop) {
  omp_set_num_threads(1);  // of this thread: a second team would fight the first for the cores
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !jobs_.empty(); })) {
    if (stop.stop_requested()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    std::exception_ptr failure;
    try {
      job(stop);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) {
      failure_ = failure;
      changed_.notify_all();
      return;
    }
    ++done_;
    changed_.notify_all();
  }
}

}  // namespace chainrule::pipeline::run
