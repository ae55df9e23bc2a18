#pragma once
#include <cstdint>
#include <utility>

namespace chainrule::io::hdf5 {

/// The one owner of an HDF5 identifier of any kind (file, dataset, type, space, property list, attribute). Released
/// under the library's lock; never throws while doing so.
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::int64_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }
  ~Handle() { reset(); }

  std::int64_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  /// Hands the identifier to the caller, who closes it.
  std::int64_t release() { return std::exchange(id_, -1); }

 private:
  void reset() noexcept;

  std::int64_t id_ = -1;
};

}  // namespace chainrule::io::hdf5
