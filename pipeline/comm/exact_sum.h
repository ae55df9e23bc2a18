#pragma once
#include <cstdint>
#include <span>

#include "pipeline/comm/communicator.h"

namespace chainrule::pipeline::comm {

/// A sum of nats that is the same in any order. Each value is rounded once to a fixed-point integer (2^-32 nats) and
/// integers of 128 bits are added, which is exact. Values that are not finite, or whose size is 2^40 nats or more (no
/// sum could hold 2^55 of them), are counted apart and not added.
class ExactSum {
 public:
  /// The whole state, for travel and for files.
  struct Raw {
    std::uint64_t low = 0;   ///< lower half of the two's complement sum, in 2^-32 nats
    std::uint64_t high = 0;  ///< upper half
    std::uint64_t count = 0;
    std::uint64_t nonfinite = 0;
    bool operator==(const Raw&) const = default;
  };

  ExactSum() = default;
  explicit ExactSum(const Raw& raw) : raw_(raw) {}

  void add(double nats);
  void merge(const ExactSum& other);

  /// The sum in nats, rounded once; 0 for none.
  double nats() const;
  std::uint64_t count() const { return raw_.count; }          ///< values in the sum
  std::uint64_t nonfinite() const { return raw_.nonfinite; }  ///< values left out of it
  const Raw& raw() const { return raw_; }
  bool operator==(const ExactSum&) const = default;

 private:
  Raw raw_;
};

/// The merge of every rank's sum, on every rank; the counts alongside are summed over ranks in the same message.
/// Collective.
ExactSum sum_over_ranks(const Communicator& communicator, const ExactSum& mine, std::span<std::int64_t> alongside = {});

}  // namespace chainrule::pipeline::comm
