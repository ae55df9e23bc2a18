#pragma once
#include <hdf5.h>

#include <concepts>
#include <mutex>
#include <string>

#include "io/error.h"
#include "io/hdf5/fair_mutex.h"
#include "io/hdf5/handle.h"

namespace chainrule::io::hdf5 {

/// Holds the process-wide lock around a group of HDF5 calls (parallel builds of HDF5 are not thread-safe; the lock is
/// recursive and fair). Long transfers let it go between pieces. The first one sets the library up: no printing of
/// errors, no plugins, no links to other files.
[[nodiscard]] std::unique_lock<FairMutex> lock();

/// The HDF5 error stack of this thread in one line, innermost first; it is cleared.
std::string take_error();

/// Writes what the library holds back of a dataset or file. Returns whether it could; take_error() says why not.
bool write_out(std::int64_t id);

/// Throws Error with operation and the HDF5 error stack, innermost first. A failure of the system (the stack carries
/// its errno) is input_output whatever kind says, except that a file that cannot be created stays cannot_create.
[[noreturn]] void fail(ErrorKind kind, const std::string& operation);

/// Passes the result of an HDF5 call on where it succeeded, else fails. operation makes the message when needed:
/// a callable that returns std::string.
template <std::signed_integral Result, class Operation>
Result check(Result result, ErrorKind kind, const Operation& operation) {
  if (result < 0) fail(kind, operation());
  return result;
}

}  // namespace chainrule::io::hdf5
