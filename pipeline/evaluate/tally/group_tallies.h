#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/evaluate/tally/token_sink.h"
#include "pipeline/evaluate/tally/token_tally.h"

namespace chainrule::pipeline::evaluate::tally {

/// Values [from, to].
struct Band {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  TokenTally tally;
  bool operator==(const Band&) const = default;
};

/// Tallies by a number that each token has, in bands that double: 0, 1, 2 to 3, 4 to 7 ...
class DoublingBands final : public TokenSink {
 public:
  using Number = std::uint64_t (*)(const ScoredToken& token);
  explicit DoublingBands(Number number) : number_(number) {}

  void add(const ScoredToken& token) override;
  /// Those with scored tokens.
  std::vector<Band> bands() const;

 private:
  Number number_;
  std::vector<TokenTally> tallies_;  ///< by the number's bits
};

/// Tallies by how often a token's id was scored in this evaluation, in bands of a factor of ten: 1 to 9, 10 to 99 ...
/// Memory grows with the vocabulary.
class FrequencyBands final : public TokenSink {
 public:
  void add(const ScoredToken& token) override;
  std::vector<Band> bands() const;

 private:
  std::vector<TokenTally> tallies_;  ///< by id
};

}  // namespace chainrule::pipeline::evaluate::tally
