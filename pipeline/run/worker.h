#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace chainrule::pipeline::run {

/// Does jobs one after the other, each on one thread, beside the thread that queues them. One thread queues and waits.
class Worker {
 public:
  /// A job that may have to wait for long looks at the token and throws once it is stopped.
  using Job = std::function<void(const std::stop_token&)>;
  /// Counts jobs from 1.
  using Ticket = std::uint64_t;

  Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Stops the job at work and drops the others: wait() first where they matter.
  ~Worker() = default;

  Ticket queue(Job job);
  /// Until that job and those before it are done. Throws what one of them threw; no job is done after that one.
  void wait(Ticket ticket);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  Ticket queued_ = 0;
  Ticket done_ = 0;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace chainrule::pipeline::run
