#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace chainrule::io::hdf5 {

/// A recursive mutex that goes to those who wait for it in the order in which they came: a thread that lets it go and
/// takes it again, piece by piece of a long write, is behind everybody who came meanwhile. (A std::mutex is as a rule
/// back with the thread that let it go before another has woken up.)
class FairMutex {
 public:
  void lock();
  void unlock();

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;  // the ticket whose holder has the mutex, or will
  std::thread::id owner_;      // none: std::thread::id()
  int depth_ = 0;              // how often the owner has locked it
};

}  // namespace chainrule::io::hdf5
