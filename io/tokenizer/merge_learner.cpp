#include "io/tokenizer/merge_learner.h"

#include <array>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "io/tokenizer/byte_map.h"

namespace chainrule::io::tokenizer {
namespace {

using Pair = std::uint64_t;  // left id in the upper half: pairs compare as the rule for equal counts asks

Pair pair_of(TokenId left, TokenId right) { return (Pair{left} << 32U) | right; }

struct PairHash {
  std::size_t operator()(Pair pair) const {
    const std::uint64_t mixed = (pair ^ (pair >> 32U)) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};

/// A pair and its count when it was put in the queue; the count may have fallen since.
struct Candidate {
  std::uint64_t count;
  Pair pair;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Learner {
 public:
  explicit Learner(const std::vector<CountedPiece>& pieces) {
    std::array<TokenId, 256> byte_ids{};
    for (const unsigned char byte : bytes_in_character_order()) {
      byte_ids[byte] = static_cast<TokenId>(tokens_.size());
      tokens_.emplace_back(1, static_cast<char>(byte));
    }
    for (TokenId id = 0; id < tokens_.size(); ++id) id_of_.emplace(tokens_[id], id);
    for (const CountedPiece& piece : pieces) {
      if (piece.bytes.size() < 2) continue;
      const auto word = static_cast<std::uint32_t>(words_.size());
      words_.push_back({ids_.size(), static_cast<std::uint32_t>(piece.bytes.size()), piece.count});
      for (const char byte : piece.bytes) ids_.push_back(byte_ids[static_cast<unsigned char>(byte)]);
      const TokenId* ids = ids_.data() + words_.back().begin;
      for (std::uint32_t i = 0; i + 1 < words_.back().length; ++i) grow(pair_of(ids[i], ids[i + 1]), piece.count, word);
    }
    queue_grown();
  }

  std::vector<Merge> run(std::uint32_t tokens, std::uint64_t smallest_count,
                         const std::function<void(std::uint32_t)>& progress) {
    std::vector<Merge> merges;
    while (tokens_.size() < tokens && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const auto found = pairs_.find(best.pair);
      if (found == pairs_.end()) continue;
      if (found->second.count != best.count) {  // it fell: queue it where it belongs now
        if (found->second.count > 0 && found->second.count < best.count) queue_.push({found->second.count, best.pair});
        continue;
      }
      if (best.count < smallest_count) break;
      const Merge learned = merge(best.pair);
      // A token of two derivations can bring back a pair that was merged before; encoding merges it by that rank.
      if (merged_.insert(best.pair).second) merges.push_back(learned);
      progress(static_cast<std::uint32_t>(tokens_.size()));
    }
    return merges;
  }

 private:
  /// A piece as it is cut into tokens so far: ids_[begin, begin + length).
  struct Word {
    std::size_t begin;
    std::uint32_t length;
    std::uint64_t count;
  };
  struct PairState {
    std::uint64_t count = 0;
    std::vector<std::uint32_t> words;  // where it was seen; it may be gone from some
    bool grown = false;                // it is in grown_
  };

  void grow(Pair pair, std::uint64_t count, std::uint32_t word) {
    PairState& state = pairs_[pair];
    state.count += count;
    if (state.words.empty() || state.words.back() != word) state.words.push_back(word);
    if (!state.grown) grown_.push_back(pair);
    state.grown = true;
  }

  void queue_grown() {
    for (const Pair pair : grown_) {
      PairState& state = pairs_.find(pair)->second;
      state.grown = false;
      if (state.count > 0) queue_.push({state.count, pair});
    }
    grown_.clear();
  }

  Merge merge(Pair pair) {
    Merge merge{static_cast<TokenId>(pair >> 32U), static_cast<TokenId>(pair), 0};
    std::string bytes = tokens_[merge.left] + tokens_[merge.right];
    const auto [known, fresh] = id_of_.emplace(bytes, static_cast<TokenId>(tokens_.size()));
    merge.result = known->second;
    if (fresh) tokens_.push_back(std::move(bytes));
    const std::vector<std::uint32_t> words = std::move(pairs_.extract(pair).mapped().words);
    for (const std::uint32_t word : words) merge_in(word, merge);
    queue_grown();
    return merge;
  }

  /// Replaces the pair in a word, from left to right, and moves the counts of the pairs at its sides.
  void merge_in(std::uint32_t index, const Merge& merge) {
    Word& word = words_[index];
    TokenId* ids = ids_.data() + word.begin;
    std::uint32_t written = 0;
    for (std::uint32_t read = 0; read < word.length;) {
      if (read + 1 == word.length || ids[read] != merge.left || ids[read + 1] != merge.right) {
        ids[written++] = ids[read++];
        continue;
      }
      if (written > 0) change(pair_of(ids[written - 1], merge.left), pair_of(ids[written - 1], merge.result), index);
      read += 2;
      if (read < word.length) change(pair_of(merge.right, ids[read]), pair_of(merge.result, ids[read]), index);
      ids[written++] = merge.result;
    }
    word.length = written;
  }

  void change(Pair before, Pair after, std::uint32_t word) {
    const auto old = pairs_.find(before);
    if (old != pairs_.end()) old->second.count -= words_[word].count;  // the merged pair itself is gone already
    grow(after, words_[word].count, word);
  }

  std::vector<std::string> tokens_;                 // bytes by id
  std::unordered_map<std::string, TokenId> id_of_;  // by bytes
  std::vector<TokenId> ids_;                        // of all words
  std::vector<Word> words_;
  std::unordered_map<Pair, PairState, PairHash> pairs_;
  std::unordered_set<Pair, PairHash> merged_;
  std::vector<Pair> grown_;  // since the queue was last filled
  std::priority_queue<Candidate> queue_;
};

}  // namespace

std::vector<Merge> learn_merges(const std::vector<CountedPiece>& pieces, std::uint32_t tokens,
                                std::uint64_t smallest_count, const std::function<void(std::uint32_t)>& progress) {
  return Learner(pieces).run(tokens, smallest_count, progress);
}

}  // namespace chainrule::io::tokenizer
