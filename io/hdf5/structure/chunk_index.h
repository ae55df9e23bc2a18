#pragma once
#include "io/hdf5/structure/messages.h"

namespace chainrule::io::hdf5::structure {

/// Walks the version 1 B-tree over a dataset's chunks: each chunk of the extent is there once, in its place, of a size
/// that its filters can have made, inside the file and apart from everything else. Throws Error bad_data.
void check_chunks(MetadataFile& file, const StoredDataset& dataset);

}  // namespace chainrule::io::hdf5::structure
