#include "model/arena.h"

#include <sys/mman.h>

#include <new>

namespace chainrule::model {
namespace {

std::size_t bytes_of(std::int64_t elements) { return static_cast<std::size_t>(elements) * sizeof(float); }

}  // namespace

Arena::Arena(std::int64_t elements) : elements_(elements) {
  if (elements <= 0) return;
  void* memory = ::mmap(nullptr, bytes_of(elements), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ::madvise(memory, bytes_of(elements), MADV_HUGEPAGE);  // advice: a refusal costs speed only
  memory_ = std::unique_ptr<float[], Unmap>(static_cast<float*>(memory), Unmap{elements});
}

void Unmap::operator()(float* memory) const noexcept { ::munmap(memory, bytes_of(elements)); }

}  // namespace chainrule::model
