#pragma once
#include <atomic>
#include <stop_token>
#include <vector>

#include "model/arena.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/pretrain/checkpoint/training_checkpoint.h"
#include "pipeline/run/worker.h"

namespace chainrule::pipeline::pretrain::checkpoint {

/// Writes checkpoints beside training, of copies, with a thread that leaves the processor to those who compute. At most
/// one is under way. Takes the memory of what this rank writes once more, from the first one on.
class BackgroundWriter {
 public:
  /// context outlives it. Collective.
  BackgroundWriter(const comm::Communicator& communicator, const CheckpointContext& context);
  /// Gives up what is under way: finish() first where the other ranks come, too.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  /// Copies what the snapshot views, and begins to write it. Not while one is under way. Collective.
  void begin(const Snapshot& snapshot);
  /// Until it is there; nothing where none is under way. Throws what writing it threw: AgreedError on every rank alike.
  /// Collective.
  void finish();

  /// Since begin(), until finish().
  bool under_way() const { return under_way_; }
  /// Whether this rank has nothing left to do with what is under way, because it is there or because it failed.
  bool ended() const { return ended_; }
  /// Of the last one: from begin() to its end; and of that, seconds of a processor that training may have missed.
  double seconds() const { return seconds_; }
  double processor_seconds() const { return processor_seconds_; }

 private:
  Snapshot copied(const Snapshot& snapshot);

  std::stop_source stop_;  // before communicator_, which waits by it
  comm::Communicator communicator_;
  const CheckpointContext& context_;
  model::Arena parameters_;            // on rank 0, which writes them
  std::vector<model::Arena> slots_;    // of the optimizer
  std::vector<model::Arena> average_;  // as slots_
  bool under_way_ = false;
  run::Worker::Ticket ticket_ = 0;
  std::atomic<bool> ended_ = false;
  double seconds_ = 0;
  double processor_seconds_ = 0;
  run::Worker worker_;  // last: it uses all of the above
};

}  // namespace chainrule::pipeline::pretrain::checkpoint
