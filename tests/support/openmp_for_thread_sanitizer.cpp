// ThreadSanitizer does not see how libgomp starts threads, joins them and holds them at barriers, and would take
// whatever threads of a region hand each other for races. In its builds these definitions stand before libgomp's and
// say so.
#include <dlfcn.h>

#include <cstdlib>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace {

template <typename Function>
Function* libgomps(const char* name) {
  auto* found = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
  if (found == nullptr) std::abort();
  return found;
}

/// A parallel region: what its threads run, and addresses for what who starts them hands to all of them, and all of
/// them hand back. One address for both would order threads after those that are done already, and hide races.
struct Region {
  void (*body)(void*);
  void* data;
  char given = 0;
  char handed_back = 0;
};

void run(void* argument) {
  auto* region = static_cast<Region*>(argument);
  __tsan_acquire(&region->given);
  region->body(region->data);
  __tsan_release(&region->handed_back);
}

char at_barrier;
char in_atomic;

}  // namespace

extern "C" {

void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) {
  static auto* const next = libgomps<void(void (*)(void*), void*, unsigned, unsigned)>("GOMP_parallel");
  Region region{body, data};
  __tsan_release(&region.given);
  next(&run, &region, threads, flags);
  __tsan_acquire(&region.handed_back);
}

using Loop = void(void (*)(void*), void*, unsigned, long, long, long, long, unsigned);

void GOMP_parallel_loop_dynamic(void (*body)(void*), void* data, unsigned threads, long begin, long end, long step,
                                long chunk, unsigned flags) {
  static auto* const next = libgomps<Loop>("GOMP_parallel_loop_dynamic");
  Region region{body, data};
  __tsan_release(&region.given);
  next(&run, &region, threads, begin, end, step, chunk, flags);
  __tsan_acquire(&region.handed_back);
}

void GOMP_parallel_loop_nonmonotonic_dynamic(void (*body)(void*), void* data, unsigned threads, long begin, long end,
                                             long step, long chunk, unsigned flags) {
  static auto* const next = libgomps<Loop>("GOMP_parallel_loop_nonmonotonic_dynamic");
  Region region{body, data};
  __tsan_release(&region.given);
  next(&run, &region, threads, begin, end, step, chunk, flags);
  __tsan_acquire(&region.handed_back);
}

void GOMP_barrier() {
  static auto* const next = libgomps<void()>("GOMP_barrier");
  __tsan_release(&at_barrier);
  next();
  __tsan_acquire(&at_barrier);
}

void GOMP_atomic_start() {
  static auto* const next = libgomps<void()>("GOMP_atomic_start");
  next();
  __tsan_acquire(&in_atomic);
}

void GOMP_atomic_end() {
  static auto* const next = libgomps<void()>("GOMP_atomic_end");
  __tsan_release(&in_atomic);
  next();
}

}  // extern "C"
