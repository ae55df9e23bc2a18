#pragma once
#include <filesystem>

namespace chainrule::io::hdf5 {

/// Checks that a file is an HDF5 file whose structure has the forms that ours have, before the library sees it: the
/// library crashes on many a damaged one, or never returns. Accepted is what the library writes by default for datasets
/// as File makes them (superblock version 0, a root group with a symbol table, version 1 object headers, complete
/// datasets in chunks), be it through other programs. Data are not read, so their checksums are not verified.
///
/// Throws Error: missing_input where path cannot be opened; bad_data for a file of any other form, with the byte where
/// it differs; input_output where the system cannot read.
void check_structure(const std::filesystem::path& path);

}  // namespace chainrule::io::hdf5
