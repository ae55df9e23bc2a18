#include "io/hdf5/version.h"

#include <fmt/format.h>

#include "io/hdf5/call.h"

namespace chainrule::io::hdf5 {

std::string hdf5_version() {
  const auto held = hdf5::lock();  // the call starts the library, which must be set up by then
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace chainrule::io::hdf5
