#pragma once
#include <memory>

#include "pipeline/run/worker.h"

namespace chainrule::pipeline::pretrain::exchange {

/// Does a step's transfers one after the other beside the computation; where there is one rank only, jobs are done at
/// once by the thread that queues them.
class ExchangeThread {
 public:
  explicit ExchangeThread(int ranks);

  /// Every rank queues the same transfers in the same order.
  run::Worker::Ticket queue(run::Worker::Job job);
  /// Until that job and those before it are done. Throws what one of them threw.
  void wait(run::Worker::Ticket ticket);
  /// Drops what is still queued, and comes back when nothing is at work.
  void stop() { worker_.reset(); }

  /// Seconds in which wait() kept the computation waiting, since this was last asked.
  double take_waited_seconds();

 private:
  std::unique_ptr<run::Worker> worker_;
  double waited_seconds_ = 0;
};

}  // namespace chainrule::pipeline::pretrain::exchange
