#include "io/tokenizer/rank_queue.h"

#include <gtest/gtest.h>

#include <queue>
#include <random>

namespace chainrule::io::tokenizer {
namespace {

/// Queues and takes at random as merging does: most of what is queued while places are taken has a higher rank.
void expect_order_of_a_heap(RankQueue& queue, std::uint32_t ranks, int initial, std::mt19937& random) {
  std::priority_queue<RankedPlace, std::vector<RankedPlace>, std::greater<>> heap;
  const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  const auto push = [&](std::uint32_t rank) {
    const RankedPlace place{rank, below(1000)};
    queue.push(place);
    heap.push(place);
  };
  queue.begin(ranks);
  for (int i = 0; i < initial; ++i) push(below(ranks));
  int more = 2 * initial;
  RankedPlace place{};
  while (queue.pop(place)) {
    ASSERT_FALSE(heap.empty());
    ASSERT_EQ(place.rank, heap.top().rank);
    ASSERT_EQ(place.at, heap.top().at);
    heap.pop();
    for (; more > 0 && below(3) != 0; --more) {
      push(below(4) == 0 ? below(ranks) : place.rank + below(ranks - place.rank));
    }
  }
  EXPECT_TRUE(heap.empty());
}

TEST(RankQueue, BeginsEmptyWhateverWasLeftInIt) {
  std::mt19937 random(5);
  RankQueue queue;
  RankedPlace place{};
  queue.begin(10);
  for (const std::uint32_t rank : {2U, 2U, 7U}) queue.push({rank, 1});
  ASSERT_TRUE(queue.pop(place));
  queue.push({1, 1});
  queue.begin(10);
  EXPECT_FALSE(queue.pop(place));
  expect_order_of_a_heap(queue, 10, 100, random);
}

TEST(RankQueue, GivesTheOrderOfAHeap) {
  std::mt19937 random(3);
  RankQueue queue;
  // Few ranks: blocks are filled; more than 64 * 64: words of bits, of words are left out; fewer behind more.
  for (const std::uint32_t ranks : {1U, 3U, 64U, 65U, 4096U, 4097U, 300'000U, 5U}) {
    for (const int initial : {0, 1, 2000}) expect_order_of_a_heap(queue, ranks, initial, random);
  }
}

}  // namespace
}  // namespace chainrule::io::tokenizer
