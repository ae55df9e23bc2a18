#include "io/hdf5/fair_mutex.h"

namespace chainrule::io::hdf5 {

void FairMutex::lock() {
  std::unique_lock held(mutex_);
  const std::thread::id caller = std::this_thread::get_id();
  if (owner_ == caller) {
    ++depth_;
    return;
  }
  const std::uint64_t ticket = next_ticket_++;
  turn_.wait(held, [&] { return serving_ == ticket; });
  owner_ = caller;
  depth_ = 1;
}

void FairMutex::unlock() {
  bool others_wait = false;
  {
    const std::lock_guard held(mutex_);
    if (--depth_ > 0) return;
    owner_ = {};
    ++serving_;
    others_wait = serving_ != next_ticket_;
  }
  if (others_wait) turn_.notify_all();
}

}  // namespace chainrule::io::hdf5
