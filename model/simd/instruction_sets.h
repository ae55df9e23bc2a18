#pragma once
#include <cstring>

// Eight and sixteen floats at a time, in a form that every compiler for any processor accepts. Functions marked
// CHAINRULE_AVX2 are compiled for AVX2 with fused multiply-add, those marked CHAINRULE_AVX512 for AVX-512 as well, and
// may be called only where the processor has them.
#if defined(__x86_64__)
#define CHAINRULE_AVX2 __attribute__((target("avx2,fma")))
#define CHAINRULE_AVX512 __attribute__((target("avx2,fma,avx512f")))
#else
#define CHAINRULE_AVX2
#define CHAINRULE_AVX512
#endif

namespace chainrule::model::simd {

using Vector8 = float __attribute__((vector_size(32)));
using Vector16 = float __attribute__((vector_size(64)));

CHAINRULE_AVX2 inline __attribute__((always_inline)) Vector8 load8(const float* from) {
  Vector8 values;
  std::memcpy(&values, from, sizeof values);
  return values;
}
CHAINRULE_AVX2 inline __attribute__((always_inline)) void store8(Vector8 values, float* to) {
  std::memcpy(to, &values, sizeof values);
}

inline bool processor_has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

inline bool processor_has_avx512() {
#if defined(__x86_64__)
  return processor_has_avx2() && __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

}  // namespace chainrule::model::simd
