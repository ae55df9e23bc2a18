#pragma once
#include <cstdint>

namespace chainrule::pipeline::windows {

/// A keyed permutation of [0, size) in constant memory: a Feistel network on the next even number of bits, walked
/// until it lands inside (Black, Rogaway 2002). Equal keys give equal permutations on every machine.
class Permutation {
 public:
  /// size at least 1.
  Permutation(std::uint64_t key, std::uint64_t size);
  /// Where index (below size) goes. Takes four walks of the network at most on average.
  std::uint64_t operator()(std::uint64_t index) const;

 private:
  std::uint64_t shuffled_once(std::uint64_t value) const;

  static constexpr int kRounds = 6;
  std::uint64_t round_keys_[kRounds] = {};
  std::uint64_t size_;
  unsigned half_bits_;
};

/// Which window is trained on when. Sample n is window perm(seed, epoch)(n mod W) of epoch n / W: the number of samples
/// consumed is the whole state of the data pipeline, and depends on no rank count.
class SampleOrder {
 public:
  /// windows (W) at least 1.
  SampleOrder(std::uint64_t seed, std::uint64_t windows);

  std::uint64_t epoch_of(std::uint64_t sample) const { return sample / windows_; }
  /// The window of a sample.
  std::uint64_t window_of(std::uint64_t sample) const;

 private:
  std::uint64_t seed_;
  std::uint64_t windows_;
};

}  // namespace chainrule::pipeline::windows
