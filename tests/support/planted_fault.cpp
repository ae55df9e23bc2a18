// A fault that a sanitizer must find, for a test that must fail: else the sanitizer looks at nothing.
#include <omp.h>

#include <cstdio>
#include <memory>
#include <string_view>

namespace {

/// Threads of a region add to one number without a word to each other.
long race() {
  long sum = 0;
  omp_set_num_threads(2);
#pragma omp parallel
  {
    for (int i = 0; i < 1000; ++i) sum = sum + i;
  }
  return sum;
}

/// A byte behind the end.
long overflow(std::size_t bytes) {
  const auto memory = std::make_unique<volatile char[]>(bytes);
  return memory[bytes];
}

}  // namespace

int main(int arguments, char** argument) {
  if (arguments != 2) return 0;
  const bool thread = std::string_view(argument[1]) == "thread";
  std::printf("%ld\n", thread ? race() : overflow(static_cast<std::size_t>(arguments)));
  return 0;
}
