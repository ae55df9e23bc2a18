#include "io/tokenizer/trainer.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/tokenizer/definition.h"
#include "io/tokenizer/merge_learner.h"
#include "io/tokenizer/piece_scanner.h"

namespace chainrule::io::tokenizer {
namespace {

constexpr std::size_t kLongestPiece = 256;

/// Lets a map of strings be searched by string_view without a copy.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace

/// How often each distinct piece was seen.
class TokenizerTrainer::PieceCounts {
 public:
  explicit PieceCounts(Limits limits) : limits_(limits) {}

  void add(std::string_view piece) {
    const auto known = counts_.find(piece);
    if (known != counts_.end()) {
      ++known->second;
      return;
    }
    counts_.emplace(piece, 1);
    bytes_ += piece.size();
    if (counts_.size() > limits_.distinct_pieces || bytes_ > limits_.piece_bytes) forget_rarest();
  }

  /// The pieces in the order of their bytes, so that nothing depends on the order of the map; leaves none behind.
  std::vector<CountedPiece> take() {
    std::vector<CountedPiece> pieces;
    pieces.reserve(counts_.size());
    while (!counts_.empty()) {
      auto node = counts_.extract(counts_.begin());
      pieces.push_back({std::move(node.key()), node.mapped()});
    }
    bytes_ = 0;
    std::sort(pieces.begin(), pieces.end(),
              [](const CountedPiece& a, const CountedPiece& b) { return a.bytes < b.bytes; });
    return pieces;
  }

  std::uint64_t forgotten() const { return forgotten_; }

 private:
  void forget_rarest() {
    for (std::uint64_t rarest = 1; counts_.size() > limits_.distinct_pieces / 2 || bytes_ > limits_.piece_bytes / 2;
         ++rarest) {
      std::erase_if(counts_, [&](const auto& each) {
        if (each.second > rarest) return false;
        forgotten_ += each.second;
        bytes_ -= each.first.size();
        return true;
      });
    }
  }

  Limits limits_;
  std::unordered_map<std::string, std::uint64_t, StringHash, std::equal_to<>> counts_;
  std::size_t bytes_ = 0;  // of the distinct pieces
  std::uint64_t forgotten_ = 0;
};

TokenizerTrainer::TokenizerTrainer() : TokenizerTrainer(Limits{}) {}
TokenizerTrainer::TokenizerTrainer(Limits limits) : counts_(std::make_unique<PieceCounts>(limits)) {}
TokenizerTrainer::~TokenizerTrainer() = default;

void TokenizerTrainer::add(std::string_view document) {
  for (std::size_t at = 0; at < document.size();) {
    const std::size_t end = gpt2_piece_end(document, at);
    for (; at < end; at += std::min(end - at, kLongestPiece)) {
      counts_->add(document.substr(at, std::min(end - at, kLongestPiece)));
    }
  }
}

Tokenizer TokenizerTrainer::train(std::uint32_t vocabulary_size, const Progress& progress) {
  return Tokenizer::from_merges(
      learn_merges(counts_->take(), vocabulary_size - 1, kSmallestCount, [&](std::uint32_t tokens) {
        progress(tokens + 1);  // end-of-text is counted from the start
      }));
}

std::uint64_t TokenizerTrainer::forgotten_pieces() const { return counts_->forgotten(); }

}  // namespace chainrule::io::tokenizer
