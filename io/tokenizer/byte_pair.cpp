#include "io/tokenizer/byte_pair.h"

#include <algorithm>
#include <bit>

#include "io/error.h"

namespace chainrule::io::tokenizer {
namespace {

/// Up to here scanning the whole piece for each merge is faster than a queue.
constexpr std::size_t kShortPiece = 64;

/// Behind the last place, and before the first.
constexpr std::uint32_t kNoPlace = std::numeric_limits<std::uint32_t>::max();

constexpr MergeTable::Found kUnpaired = {MergeTable::kNoRank, 0};

}  // namespace

MergeTable::MergeTable(std::span<const Merge> merges, bool ranked_by_result, std::span<const TokenId> tied_results) {
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(merges.size() * 2, 16));
  slots_.resize(slots);
  mask_ = slots - 1;
  shift_ = 64U - static_cast<unsigned>(std::countr_zero(slots));
  const auto is_tied = [&](TokenId id) { return std::binary_search(tied_results.begin(), tied_results.end(), id); };
  const auto have_one_rank = [&](TokenId a, TokenId b) {
    return (ranked_by_result && a == b) || (is_tied(a) && is_tied(b));
  };
  std::uint32_t rank = 0;
  const Merge* before = nullptr;
  for (const Merge& merge : merges) {
    if (before != nullptr && !have_one_rank(before->result, merge.result)) ++rank;
    before = &merge;
    const std::uint64_t pair = (std::uint64_t{merge.left} << 32U) | merge.right;
    std::size_t at = place(pair);
    while (slots_[at].rank != kNoRank) at = (at + 1) & mask_;
    slots_[at] = {pair, rank, merge.result};
  }
  ranks_ = std::size_t{rank} + 1;
}

void PieceMerger::merge(const MergeTable& table, std::vector<TokenId>& ids) {
  if (ids.size() < 2) return;
  if (ids.size() <= kShortPiece) {
    merge_short(table, ids);
  } else {
    merge_long(table, ids);
  }
}

void PieceMerger::merge_short(const MergeTable& table, std::vector<TokenId>& ids) {
  std::size_t pairs = ids.size() - 1;
  found_.resize(pairs);
  for (std::size_t i = 0; i < pairs; ++i) found_[i] = table.find(ids[i], ids[i + 1]);
  while (pairs > 0) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < pairs; ++i) {
      if (found_[i].rank < found_[best].rank) best = i;
    }
    if (found_[best].rank == MergeTable::kNoRank) break;
    ids[best] = found_[best].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    found_.erase(found_.begin() + static_cast<std::ptrdiff_t>(best));
    --pairs;
    if (best > 0) found_[best - 1] = table.find(ids[best - 1], ids[best]);
    if (best < pairs) found_[best] = table.find(ids[best], ids[best + 1]);
  }
}

void PieceMerger::merge_long(const MergeTable& table, std::vector<TokenId>& ids) {
  if (ids.size() >= kNoPlace) throw Error(ErrorKind::bad_data, "a piece of 4 GiB or more cannot be encoded");
  const auto size = static_cast<std::uint32_t>(ids.size());
  places_.resize(size);
  queue_.begin(table.ranks());
  const auto pair_with_next = [&](std::uint32_t at) {
    Place& place = places_[at];
    place.found = table.find(place.id, places_[place.next].id);
    if (place.found.rank != MergeTable::kNoRank) queue_.push({place.found.rank, at});
  };
  for (std::uint32_t at = 0; at < size; ++at) places_[at] = {ids[at], at + 1, at - 1, kUnpaired};
  places_[0].previous = places_[size - 1].next = kNoPlace;
  for (std::uint32_t at = 0; at + 1 < size; ++at) pair_with_next(at);
  for (RankedPlace best{}; queue_.pop(best);) {
    Place& place = places_[best.at];
    if (place.found.rank != best.rank) continue;  // it merges otherwise since, or no more
    Place& joined = places_[place.next];
    place.id = place.found.result;
    place.found = joined.found = kUnpaired;
    place.next = joined.next;
    if (place.next != kNoPlace) {
      places_[place.next].previous = best.at;
      pair_with_next(best.at);
    }
    if (place.previous != kNoPlace) pair_with_next(place.previous);
  }
  ids.clear();
  for (std::uint32_t at = 0; at != kNoPlace; at = places_[at].next) ids.push_back(places_[at].id);
}

}  // namespace chainrule::io::tokenizer
