#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::evaluate::scoring {

/// How units' records reach rank 0 while all ranks compute, and how all of them learn that they are to stop. Nobody
/// waits for anybody before the end, but a rank that is several records ahead of rank 0.
class ResultsExchange {
 public:
  using TakeRecord = std::function<void(std::span<const std::byte> record)>;

  /// most_tokens: of a unit. take is called on rank 0 for every record.
  ResultsExchange(const comm::Communicator& communicator, std::uint64_t most_tokens, TakeRecord take);

  /// A record that this rank made.
  void give(std::vector<std::byte> record);
  /// Moves transfers on. Whether this rank is to stop: asked says that it was asked to.
  bool stop(bool asked);
  /// Everything that ranks gave is on rank 0. Whether any of them stopped. Collective.
  bool finish();

 private:
  struct Outgoing {
    std::vector<std::byte> record;
    comm::Transfer transfer;
  };
  struct Incoming {
    int rank = 0;
    bool ended = false;
    std::vector<std::byte> record;
    comm::Transfer transfer;
  };
  void receive(Incoming& from);
  void collect();
  void tell_all(std::uint64_t order);

  const comm::Communicator& communicator_;
  TakeRecord take_;
  bool stopped_ = false;
  std::vector<Incoming> incoming_;  ///< on rank 0, of each other rank
  std::deque<Outgoing> outgoing_;   ///< elsewhere
  std::uint64_t order_ = 0;         ///< what rank 0 tells: see tell_all
  comm::Transfer ordered_;
  std::vector<comm::Transfer> orders_;
  bool told_ = false;
};

}  // namespace chainrule::pipeline::evaluate::scoring
