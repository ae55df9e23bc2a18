#include "model/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "model/round_up.h"

namespace chainrule::model {
namespace {

std::size_t bytes_of(std::int64_t elements) { return static_cast<std::size_t>(elements) * sizeof(float); }

std::unique_ptr<float[], Unmap> mapped(std::int64_t elements, int flags) {
  void* memory =
      ::mmap(nullptr, bytes_of(elements), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return {static_cast<float*>(memory), Unmap{elements}};
}

/// So that a huge page that is asked for and released begins and ends where ranges of whole ones do. Where the system
/// counts address space as memory (vm.overcommit_memory = 2) it does so all the same.
std::unique_ptr<float[], Unmap> mapped_where_huge_pages_begin(std::int64_t elements) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20U;
  constexpr auto kHugeElements = static_cast<std::int64_t>(kHugePage / sizeof(float));
  const std::int64_t whole = round_up(elements, kHugeElements);
  std::unique_ptr<float[], Unmap> memory = mapped(whole + kHugeElements, MAP_NORESERVE);
  float* const all = memory.release();
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(all) % kHugePage) % kHugePage;
  float* const begin = all + before / sizeof(float);
  if (before > 0) ::munmap(all, before);
  ::munmap(begin + whole, kHugePage - before);
  return {begin, Unmap{whole}};
}

}  // namespace

Arena::Arena(std::int64_t elements, Backing backing) : elements_(elements) {
  if (elements <= 0) return;
  if (backing == Backing::whole) {
    memory_ = mapped(elements, 0);
    ::madvise(data(), bytes_of(elements), MADV_HUGEPAGE);  // advice: a refusal costs speed only
    return;
  }
  memory_ = mapped_where_huge_pages_begin(elements);
  ::madvise(data(), bytes_of(elements), MADV_NOHUGEPAGE);  // advice: a refusal costs memory only
}

void Arena::prefer_huge_pages(std::int64_t begin, std::int64_t end) { advise(begin, end, MADV_HUGEPAGE); }

// Not MADV_FREE: only this is seen by MPI libraries that remember which pages a network card knows.
void Arena::release(std::int64_t begin, std::int64_t end) { advise(begin, end, MADV_DONTNEED); }

void Arena::advise(std::int64_t begin, std::int64_t end, int advice) {
  static const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE) / static_cast<long>(sizeof(float)));
  const std::int64_t first = round_up(begin, page);
  const std::int64_t last = end == elements_ ? end : end / page * page;
  if (first < last) ::madvise(data() + first, bytes_of(last - first), advice);
}

void Unmap::operator()(float* memory) const noexcept { ::munmap(memory, bytes_of(elements)); }

}  // namespace chainrule::model
