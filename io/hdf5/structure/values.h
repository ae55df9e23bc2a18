#pragma once
#include <array>
#include <cstdint>

#include "io/hdf5/structure/metadata_file.h"

namespace chainrule::io::hdf5::structure {

inline constexpr std::size_t kMostDimensions = 2;

/// One value (rank 0), a row of them or a matrix.
struct Dataspace {
  std::size_t rank = 0;
  std::array<std::uint64_t, kMostDimensions> extent{};
  std::uint64_t elements = 1;
};

/// A version 1 dataspace message. Like the others here, throws Error bad_data for anything else.
Dataspace read_dataspace(Fields body);

/// A version 1 datatype message: fixed-point numbers, IEEE floats or strings of fixed length. Returns an element's
/// bytes.
std::uint64_t check_datatype(Fields body);

/// An attribute message: such a value of such a type.
void check_attribute(Fields body);

}  // namespace chainrule::io::hdf5::structure
