#include "io/tokenizer/rank_queue.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace chainrule::io::tokenizer {
namespace {

constexpr std::uint32_t kBits = 64;

std::uint64_t bit(std::uint32_t of) { return std::uint64_t{1} << (of % kBits); }

}  // namespace

void RankQueue::begin(std::size_t ranks) {
  if (in_use_) *this = RankQueue();  // an exception came between, perhaps in the middle of a change
  in_use_ = true;
  untaken_ = 0;
  if (blocks_of_rank_.size() >= ranks) return;
  blocks_of_rank_.resize(ranks, kNone);
  kept_.resize(ranks / kBits + 1);
  kept_words_.resize(kept_.size() / kBits + 1);
}

void RankQueue::keep(RankedPlace place) {
  Index& first = blocks_of_rank_[place.rank];
  if (first == kNone) {
    kept_[place.rank / kBits] |= bit(place.rank);
    kept_words_[place.rank / kBits / kBits] |= bit(place.rank / kBits);
  }
  if (first == kNone || blocks_[first].count == blocks_[first].places.size()) first = new_block(first);
  Block& block = blocks_[first];
  block.places[block.count++] = place.at;
}

RankQueue::Index RankQueue::new_block(Index more) {
  Index block = free_;
  if (block == kNone) {
    block = static_cast<Index>(blocks_.size());
    blocks_.emplace_back();
  } else {
    free_ = blocks_[block].more;
  }
  blocks_[block].more = more;
  blocks_[block].count = 0;
  return block;
}

bool RankQueue::pop(RankedPlace& first) {
  if (next_taken_ == taken_.size() && below_.empty() && !take_rank()) {
    in_use_ = false;
    return false;
  }
  const bool has_taken = next_taken_ < taken_.size();
  if (!below_.empty() && (!has_taken || RankedPlace{untaken_ - 1, taken_[next_taken_]} > below_.top())) {
    first = below_.top();
    below_.pop();
  } else {
    first = {untaken_ - 1, taken_[next_taken_++]};
  }
  return true;
}

/// Takes the places of the lowest rank that has any.
bool RankQueue::take_rank() {
  std::size_t word = untaken_ / kBits / kBits;
  while (word < kept_words_.size() && kept_words_[word] == 0) ++word;
  if (word >= kept_words_.size()) return false;
  const std::size_t within = word * kBits + static_cast<std::size_t>(std::countr_zero(kept_words_[word]));
  const auto rank =
      static_cast<std::uint32_t>(within * kBits + static_cast<std::size_t>(std::countr_zero(kept_[within])));
  kept_[within] &= kept_[within] - 1;
  if (kept_[within] == 0) kept_words_[word] &= kept_words_[word] - 1;
  taken_.clear();
  next_taken_ = 0;
  Index last = kNone;
  for (Index at = blocks_of_rank_[rank]; at != kNone; at = blocks_[at].more) {
    const Block& block = blocks_[at];
    for (std::uint32_t i = block.count; i-- > 0;) taken_.push_back(block.places[i]);
    last = at;
  }
  blocks_[last].more = free_;
  free_ = std::exchange(blocks_of_rank_[rank], kNone);
  std::reverse(taken_.begin(), taken_.end());  // as they were queued, which is ascending at first
  if (!std::is_sorted(taken_.begin(), taken_.end())) std::sort(taken_.begin(), taken_.end());
  untaken_ = rank + 1;
  return true;
}

}  // namespace chainrule::io::tokenizer
