#pragma once
#include "io/hdf5/structure/messages.h"

namespace chainrule::io::hdf5::structure {

inline constexpr std::size_t kGroupLeafEntries = 8;
inline constexpr std::size_t kGroupTreeEntries = 32;

/// Walks a group: its local heap of names, its B-tree, and the datasets that its links lead to. Throws Error bad_data
/// where a name or a link is not in its place, and for links to anything but datasets.
void check_group(MetadataFile& file, const StoredGroup& group);

}  // namespace chainrule::io::hdf5::structure
