#pragma once
#include <cstring>

// Eight floats at a time, in a form that every compiler for any processor accepts; functions marked CHAINRULE_AVX2 are
// compiled for AVX2 with fused multiply-add and may be called only where the processor has them.
#if defined(__x86_64__)
#define CHAINRULE_AVX2 __attribute__((target("avx2,fma")))
#else
#define CHAINRULE_AVX2
#endif

namespace chainrule::model {

using Vector8 = float __attribute__((vector_size(32)));

CHAINRULE_AVX2 inline __attribute__((always_inline)) Vector8 load8(const float* from) {
  Vector8 values;
  std::memcpy(&values, from, sizeof values);
  return values;
}
CHAINRULE_AVX2 inline __attribute__((always_inline)) void store8(Vector8 values, float* to) {
  std::memcpy(to, &values, sizeof values);
}

}  // namespace chainrule::model
