#pragma once
#include <string>

namespace chainrule::io::hdf5 {

/// Version of the HDF5 library in use at run time, e.g. "1.10.8".
std::string hdf5_version();

}  // namespace chainrule::io::hdf5
