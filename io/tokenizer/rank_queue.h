#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

namespace chainrule::io::tokenizer {

/// A place in a piece and the rank of the merge that was possible there when it was queued.
struct RankedPlace {
  std::uint32_t rank;
  std::uint32_t at;
  bool operator>(const RankedPlace& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
};

/// Places by ascending rank, those of one rank by ascending place. A bucket queue, for few are queued once their rank
/// was taken: in a heap of millions each step waits for memory.
class RankQueue {
 public:
  /// Makes it empty, for ranks below `ranks`.
  void begin(std::size_t ranks);

  /// A place may be queued several times.
  void push(RankedPlace place) {
    if (place.rank < untaken_) {
      below_.push(place);
    } else {
      keep(place);
    }
  }

  /// Takes the first; false once there is none.
  bool pop(RankedPlace& first);

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();
  /// Places of one rank and where more of them are; a cache line.
  struct alignas(64) Block {
    Index more;
    std::uint32_t count;
    std::array<std::uint32_t, 14> places;
  };

  void keep(RankedPlace place);
  Index new_block(Index more);
  bool take_rank();

  std::vector<Index> blocks_of_rank_;
  std::vector<std::uint64_t> kept_;        // bit by bit: ranks with blocks
  std::vector<std::uint64_t> kept_words_;  // bit by bit: words of kept_ that are not zero
  std::vector<Block> blocks_;
  Index free_ = kNone;
  bool in_use_ = false;               // from begin() until pop() has found it empty
  std::uint32_t untaken_ = 0;         // ranks below it were taken
  std::vector<std::uint32_t> taken_;  // places of rank untaken_ - 1, ascending
  std::size_t next_taken_ = 0;
  std::priority_queue<RankedPlace, std::vector<RankedPlace>, std::greater<>>
      below_;  // queued once their rank was taken
};

}  // namespace chainrule::io::tokenizer
