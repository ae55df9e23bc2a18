#pragma once
#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace chainrule::io::tokens {

/// Readers of the files of a stream, of which only those used last are kept open: well below the usual limit of 1,024
/// open files. Several threads may ask at once.
template <class Reader>
class KeptOpen {
 public:
  /// The reader of file `number`, which open() makes where it is not open.
  template <class Open>
  std::shared_ptr<const Reader> get(std::size_t number, const Open& open) {
    const std::lock_guard<std::mutex> held(mutex_);
    const auto known = std::find_if(open_.begin(), open_.end(), [&](const auto& each) { return each.first == number; });
    if (known != open_.end()) {
      open_.splice(open_.begin(), open_, known);
    } else {
      open_.emplace_front(number, open());
      if (open_.size() > kMostOpen) open_.pop_back();
    }
    return open_.front().second;
  }

 private:
  static constexpr std::size_t kMostOpen = 64;

  std::mutex mutex_;
  std::list<std::pair<std::size_t, std::shared_ptr<const Reader>>> open_;  ///< latest used first
};

}  // namespace chainrule::io::tokens
