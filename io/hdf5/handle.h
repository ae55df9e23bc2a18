#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace chainrule::io::hdf5 {

/// What of a file could not be written, as text; empty while nothing failed. Of a file and all that is open in it.
using WriteFailure = std::shared_ptr<std::string>;

/// The one owner of an HDF5 identifier of any kind (file, dataset, type, space, property list, attribute). Released
/// under the library's lock; never throws while doing so. A file or dataset that is written, and something of which
/// could not be, stays open: HDF5 1.14 frees what it fails to close and comes to it again with the file's next call.
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::int64_t id, WriteFailure failure = {}) : id_(id), failure_(std::move(failure)) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), failure_(std::move(other.failure_)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      failure_ = std::move(other.failure_);
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
  WriteFailure failure_;  ///< null: of what is not written
};

}  // namespace chainrule::io::hdf5
