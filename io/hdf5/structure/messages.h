#pragma once
#include <array>
#include <cstdint>

#include "io/hdf5/structure/metadata_file.h"
#include "io/hdf5/structure/values.h"

namespace chainrule::io::hdf5::structure {

/// How a dataset's header says that it is stored.
struct StoredDataset {
  std::size_t rank = 0;
  std::array<std::uint64_t, kMostDimensions> extent{};
  /// Of a chunk: rank dimensions in elements, each at least 1, then the bytes of an element.
  std::array<std::uint64_t, kMostDimensions + 1> chunk{};
  std::uint64_t chunk_bytes = 0;  ///< below 2^32
  std::uint64_t index_address = kUndefined;
  bool deflate = false;
  bool fletcher32 = false;
};

/// Where a group's links are.
struct StoredGroup {
  std::uint64_t tree_address = kUndefined;
  std::uint64_t heap_address = kUndefined;
};

/// The header of the root group: its symbol table and attributes. Throws Error bad_data for anything else.
StoredGroup read_group_header(MetadataFile& file, std::uint64_t address);

/// The header of a dataset as we store them: one or two dimensions of fixed-point numbers, IEEE floats or fixed-length
/// strings, in chunks, through deflate, shuffle and fletcher32 or some of them. Throws Error bad_data for anything
/// else.
StoredDataset read_dataset_header(MetadataFile& file, std::uint64_t address);

}  // namespace chainrule::io::hdf5::structure
