#include "io/tokenizer/byte_pair.h"

#include <algorithm>
#include <bit>

#include "io/error.h"

namespace chainrule::io::tokenizer {
namespace {

/// Up to here scanning the whole piece for each merge is faster than a heap.
constexpr std::size_t kShortPiece = 64;

/// A place that was merged into the one before it.
constexpr TokenId kGone = std::numeric_limits<TokenId>::max();

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
  if (ids.size() >= kGone) throw Error(ErrorKind::bad_data, "a piece of 4 GiB or more cannot be encoded");
  const auto size = static_cast<std::uint32_t>(ids.size());
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
  };
  next_.resize(size);
  previous_.resize(size);
  heap_.clear();
  const auto candidate = [&](std::uint32_t at, std::uint32_t next) {
    const auto found = table.find(ids[at], ids[next]);
    return Candidate{found.rank, at, ids[at], ids[next], found.result};
  };
  for (std::uint32_t at = 0; at < size; ++at) {
    next_[at] = at + 1;
    previous_[at] = at - 1;  // of the first: no place, tested by at == 0
    if (at + 1 == size) break;
    const Candidate each = candidate(at, at + 1);
    if (each.rank != MergeTable::kNoRank) heap_.push_back(each);
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
  const auto push = [&](std::uint32_t at, std::uint32_t next) {
    const Candidate each = candidate(at, next);
    if (each.rank == MergeTable::kNoRank) return;
    heap_.push_back(each);
    std::push_heap(heap_.begin(), heap_.end(), later);
  };
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Candidate best = heap_.back();
    heap_.pop_back();
    const std::uint32_t joined = next_[best.at];
    if (ids[best.at] != best.left || joined >= size || ids[joined] != best.right) continue;
    ids[best.at] = best.result;
    ids[joined] = kGone;
    const std::uint32_t after = next_[joined];
    next_[best.at] = after;
    if (after < size) {
      previous_[after] = best.at;
      push(best.at, after);
    }
    if (best.at > 0) push(previous_[best.at], best.at);
  }
  ids.erase(std::remove(ids.begin(), ids.end(), kGone), ids.end());
}

}  // namespace chainrule::io::tokenizer
