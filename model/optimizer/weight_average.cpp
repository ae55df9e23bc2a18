#include "model/optimizer/weight_average.h"

#include <algorithm>
#include <cstdint>

#include "model/error.h"
#include "model/simd/multiversion.h"

namespace chainrule::model::optimizer {
namespace {

CHAINRULE_MULTIVERSION
void move(double share, std::int64_t count, const float* __restrict weights, float* __restrict average) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const auto before = static_cast<double>(average[i]);
    average[i] = static_cast<float>(before + share * (static_cast<double>(weights[i]) - before));
  }
}

}  // namespace

void move_average(double decay, std::span<const float> weights, std::span<float> average) {
  if (weights.size() != average.size()) throw Error("move_average: spans of different sizes");
  const auto size = static_cast<std::int64_t>(average.size());
  constexpr std::int64_t kPiece = 16'384;
#pragma omp parallel for schedule(static)
  for (std::int64_t begin = 0; begin < size; begin += kPiece) {
    move(1 - decay, std::min(kPiece, size - begin), weights.data() + begin, average.data() + begin);
  }
}

}  // namespace chainrule::model::optimizer
