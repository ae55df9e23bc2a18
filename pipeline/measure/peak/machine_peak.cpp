#include "pipeline/measure/peak/machine_peak.h"

#include <chrono>
#include <cstdint>

#include "model/simd/instruction_sets.h"

namespace chainrule::pipeline::measure::peak {
namespace {

constexpr int kChains = 12;  // independent sums: enough to fill two units of latency four, few enough for 16 registers
constexpr std::int64_t kRounds = 20'000;

/// kRounds multiply-adds on kChains vectors of `Vector`; returns the FLOPs done.
template <typename Vector>
__attribute__((always_inline)) inline double multiply_add(float* sink) {
  // Out of the compiler's sight: it leaves out a chain that it sees standing still (1 * 0.999 + 0.001).
  const volatile float first = 0.5F;
  const volatile float shrink = 0.999F;
  Vector sums[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + (first + static_cast<float>(i));
  const Vector factor = Vector{} + shrink;
  const Vector term = Vector{} + 0.001F;
  for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
  }
  Vector all = sums[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) all = all + sums[i];
  *sink += all[0];
  return 2.0 * kRounds * kChains * static_cast<double>(sizeof(Vector) / sizeof(float));
}

CHAINRULE_AVX2 double multiply_add_avx2(float* sink) { return multiply_add<model::simd::Vector8>(sink); }
CHAINRULE_AVX512 double multiply_add_avx512(float* sink) { return multiply_add<model::simd::Vector16>(sink); }
using Vector4 = float __attribute__((vector_size(16)));
double multiply_add_any(float* sink) { return multiply_add<Vector4>(sink); }

double multiply_add_best(float* sink) {
  if (model::simd::processor_has_avx512()) return multiply_add_avx512(sink);
  if (model::simd::processor_has_avx2()) return multiply_add_avx2(sink);
  return multiply_add_any(sink);
}

}  // namespace

double measure_peak_flops(double seconds) {
  using Clock = std::chrono::steady_clock;
  double rate = 0;
#pragma omp parallel reduction(+ : rate)
  {
    float sink = 0;
    double flops = 0;
    const auto started = Clock::now();
    double elapsed = 0;
    do {
      flops += multiply_add_best(&sink);
      elapsed = std::chrono::duration<double>(Clock::now() - started).count();
    } while (elapsed < seconds);
    rate += flops / elapsed;
  }
  return rate;
}

}  // namespace chainrule::pipeline::measure::peak
