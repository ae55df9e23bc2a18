#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "io/tokenizer/definition.h"
#include "io/tokenizer/rank_queue.h"

namespace chainrule::io::tokenizer {

/// The merges of byte-pair encoding, found by the pair of ids they join. An open-addressing table of 16-byte slots,
/// since this lookup is what encoding does most.
class MergeTable {
 public:
  static constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

  struct Found {
    std::uint32_t rank;  ///< kNoRank where the pair does not merge
    TokenId result;
  };

  /// ranked_by_result: neighbouring merges of one result have one rank, and those whose results are both among
  /// tied_results (ascending).
  explicit MergeTable(std::span<const Merge> merges, bool ranked_by_result = false,
                      std::span<const TokenId> tied_results = {});

  Found find(TokenId left, TokenId right) const {
    const std::uint64_t pair = (std::uint64_t{left} << 32U) | right;
    std::size_t at = place(pair);
    while (slots_[at].pair != pair) {
      if (slots_[at].rank == kNoRank) return {kNoRank, 0};
      at = (at + 1) & mask_;
    }
    return {slots_[at].rank, slots_[at].result};
  }

  /// Above every rank.
  std::size_t ranks() const { return ranks_; }

 private:
  struct Slot {
    std::uint64_t pair = 0;
    std::uint32_t rank = kNoRank;  // of an empty slot
    TokenId result = 0;
  };
  std::size_t place(std::uint64_t pair) const {
    return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15ULL) >> shift_);  // Fibonacci hashing
  }

  std::vector<Slot> slots_;
  std::size_t mask_;
  unsigned shift_;
  std::size_t ranks_;
};

/// Merges the ids of one piece's bytes until no neighbours merge, each time the pair of lowest rank and of those the
/// leftmost (Sennrich et al. 2016). Holds its buffers from piece to piece; one a thread.
class PieceMerger {
 public:
  /// ids: the piece's byte ids; replaced by its tokens. For n bytes O(n), but for sorting the places of each rank.
  void merge(const MergeTable& table, std::vector<TokenId>& ids);

 private:
  void merge_short(const MergeTable& table, std::vector<TokenId>& ids);
  void merge_long(const MergeTable& table, std::vector<TokenId>& ids);

  /// Of a long piece.
  struct Place {
    TokenId id;
    std::uint32_t next, previous;
    MergeTable::Found found;  // with the next id
  };
  std::vector<MergeTable::Found> found_;  // with the next id, by place of a short piece
  std::vector<Place> places_;
  RankQueue queue_;
};

}  // namespace chainrule::io::tokenizer
