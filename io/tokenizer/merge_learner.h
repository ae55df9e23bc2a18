#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/tokenizer/definition.h"

namespace chainrule::io::tokenizer {

/// A distinct piece of the training text and how often it was seen.
struct CountedPiece {
  std::string bytes;
  std::uint64_t count;
};

/// Learns merges by byte-pair encoding: bytes begin as ids in GPT-2's order; then the pair of neighbours seen most
/// (equal counts: the smaller left id, then the smaller right id) is merged, until there are `tokens` tokens or no pair
/// is seen smallest_count times. A merge whose bytes are already a token results in that token. Counts are kept up to
/// date merge by merge, never recounted. progress is called with the number of tokens after each merge.
std::vector<Merge> learn_merges(const std::vector<CountedPiece>& pieces, std::uint32_t tokens,
                                std::uint64_t smallest_count, const std::function<void(std::uint32_t)>& progress);

}  // namespace chainrule::io::tokenizer
