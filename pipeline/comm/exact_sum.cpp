#include "pipeline/comm/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chainrule::pipeline::comm {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Unsigned128 = unsigned __int128;

constexpr int kFractionBits = 32;
constexpr double kLimit = 0x1p40;

Unsigned128 joined(std::uint64_t low, std::uint64_t high) { return (static_cast<Unsigned128>(high) << 64U) | low; }

/// Adds in unsigned arithmetic, where wrapping is defined.
void accumulate(ExactSum::Raw& raw, Unsigned128 value) {
  const Unsigned128 sum = joined(raw.low, raw.high) + value;
  raw.low = static_cast<std::uint64_t>(sum);
  raw.high = static_cast<std::uint64_t>(sum >> 64U);
}

}  // namespace

void ExactSum::add(double nats) {
  if (!(std::abs(nats) < kLimit)) {
    ++raw_.nonfinite;
    return;
  }
  const double scaled = std::nearbyint(std::ldexp(nats, kFractionBits));
  accumulate(raw_, static_cast<Unsigned128>(static_cast<Int128>(scaled)));
  ++raw_.count;
}

void ExactSum::merge(const ExactSum& other) {
  accumulate(raw_, joined(other.raw_.low, other.raw_.high));
  raw_.count += other.raw_.count;
  raw_.nonfinite += other.raw_.nonfinite;
}

double ExactSum::nats() const {
  const auto sum = static_cast<Int128>(joined(raw_.low, raw_.high));
  return std::ldexp(static_cast<double>(sum), -kFractionBits);
}

ExactSum sum_over_ranks(const Communicator& communicator, const ExactSum& mine, std::span<std::int64_t> alongside) {
  // Pieces of 32 bits in 64: their sums over up to 2^31 ranks cannot overflow, and the carries are resolved below.
  constexpr std::uint64_t kMask = 0xffffffffU;
  const ExactSum::Raw& raw = mine.raw();
  std::vector<std::int64_t> pieces = {
      static_cast<std::int64_t>(raw.low & kMask),  static_cast<std::int64_t>(raw.low >> 32U),
      static_cast<std::int64_t>(raw.high & kMask), static_cast<std::int64_t>(raw.high >> 32U),
      static_cast<std::int64_t>(raw.count),        static_cast<std::int64_t>(raw.nonfinite)};
  pieces.insert(pieces.end(), alongside.begin(), alongside.end());
  communicator.sum(pieces);
  std::copy(pieces.begin() + 6, pieces.end(), alongside.begin());
  ExactSum::Raw total;
  for (std::size_t i = 0; i < 4; ++i) accumulate(total, static_cast<Unsigned128>(pieces[i]) << (32U * i));
  total.count = static_cast<std::uint64_t>(pieces[4]);
  total.nonfinite = static_cast<std::uint64_t>(pieces[5]);
  return ExactSum(total);
}

}  // namespace chainrule::pipeline::comm
