#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "io/tokenizer/tokenizer.h"

namespace chainrule::io::tokenizer {

/// Learns a byte-level BPE tokenizer from documents. First the distinct pieces of GPT-2's pattern are counted, then the
/// pair of neighbouring tokens seen most is merged, over and over (Sennrich et al. 2016).
///
/// Deterministic: of pairs seen equally often, the one of the smaller left id is merged, then of the smaller right id.
/// Memory is bounded whatever the data: at most Limits::distinct_pieces distinct pieces of Limits::piece_bytes in all
/// are kept. When they are full, the rarest are forgotten: those seen once, then those seen twice, and so on until half
/// are left. A piece longer than 256 bytes is counted in parts of 256.
class TokenizerTrainer {
 public:
  struct Limits {
    std::size_t distinct_pieces = 2'000'000;
    std::size_t piece_bytes = 64U << 20U;  ///< of the distinct pieces together
  };

  /// The smallest vocabulary: 256 bytes and end-of-text.
  static constexpr std::uint32_t kSmallestVocabulary = 257;
  /// A pair seen less often is not merged: it is no pattern.
  static constexpr std::uint64_t kSmallestCount = 2;

  TokenizerTrainer();
  explicit TokenizerTrainer(Limits limits);
  ~TokenizerTrainer();

  /// Counts the pieces of a document. The result depends on the documents' order only once pieces are forgotten.
  void add(std::string_view document);

  /// Called after each merge with the tokens there are so far.
  using Progress = std::function<void(std::uint32_t tokens)>;

  /// Merges until there are vocabulary_size tokens, or no pair is left that was seen twice: then the tokenizer has
  /// fewer. vocabulary_size >= kSmallestVocabulary. The counted pieces are used up.
  Tokenizer train(std::uint32_t vocabulary_size, const Progress& progress);

  /// Pieces forgotten so far because the limits were reached, counted as often as they were seen.
  std::uint64_t forgotten_pieces() const;

 private:
  class PieceCounts;
  std::unique_ptr<PieceCounts> counts_;
};

}  // namespace chainrule::io::tokenizer
