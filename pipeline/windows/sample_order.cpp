#include "pipeline/windows/sample_order.h"

#include <bit>

#include "model/split_mix.h"

namespace chainrule::pipeline::windows {

Permutation::Permutation(std::uint64_t key, std::uint64_t size)
    : size_(size), half_bits_(size <= 4 ? 1U : (static_cast<unsigned>(std::bit_width(size - 1)) + 1U) / 2U) {
  for (std::uint64_t& round_key : round_keys_) round_key = key = model::split_mix(key);
}

std::uint64_t Permutation::shuffled_once(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (const std::uint64_t round_key : round_keys_) {
    const std::uint64_t next = left ^ (model::split_mix(right ^ round_key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
  do {
    index = shuffled_once(index);
  } while (index >= size_);
  return index;
}

SampleOrder::SampleOrder(std::uint64_t seed, std::uint64_t windows) : seed_(seed), windows_(windows) {}

std::uint64_t SampleOrder::window_of(std::uint64_t sample) const {
  return Permutation(model::split_mix(seed_) ^ model::split_mix(~epoch_of(sample)), windows_)(sample % windows_);
}

}  // namespace chainrule::pipeline::windows
