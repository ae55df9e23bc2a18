#include "io/hdf5/version.h"

#include <fmt/format.h>
#include <hdf5.h>

namespace chainrule::io {

std::string hdf5_version() {
  // Reads constants of the library, so it needs no turn behind the lock.
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace chainrule::io
