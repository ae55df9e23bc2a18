#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/windows/apportionment.h"

namespace chainrule::pipeline::windows {

/// From a sample on, the weights of sources.
struct MixStage {
  std::uint64_t first_sample = 0;
  std::vector<std::uint64_t> weights;  ///< as Apportionment takes them, one for each source
};

/// Which sample is of which source, in stages, each an Apportionment of its own: every stage adds less than 1 to what a
/// source's count differs from its share by. A source goes on in a stage with the sample after its last, so that no
/// stage repeats one.
class MixOrder {
 public:
  /// At least one stage, the first from sample 0, each from a later one than that before it, all of as many weights.
  /// Throws std::length_error as Apportionment does, and std::invalid_argument.
  explicit MixOrder(const std::vector<MixStage>& stages);

  /// Whose sample n is, and which one of that source's.
  Apportionment::Place at(std::uint64_t n) const;
  /// Of the first n samples, how many each source has.
  std::vector<std::uint64_t> counts(std::uint64_t n) const;

 private:
  struct Stage {
    std::uint64_t first_sample = 0;
    Apportionment order;
    std::vector<std::uint64_t> before;  // samples of each source in earlier stages
  };
  const Stage& stage_of(std::uint64_t n) const;

  std::vector<Stage> stages_;
};

}  // namespace chainrule::pipeline::windows
