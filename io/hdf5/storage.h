#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5/call.h"
#include "io/hdf5/dataset.h"

namespace chainrule::io::hdf5 {

std::size_t element_bytes(ElementType type);
/// The library's own constant; not to be closed.
hid_t disk_type(ElementType type);
/// A fixed-length UTF-8 string type filled with NUL bytes; bytes at least 1.
Handle string_type(std::size_t bytes);

/// The property list of a new chunked dataset. chunk has the dataset's rank.
Handle creation_properties(const std::vector<hsize_t>& chunk, int deflate);

/// How an existing dataset is stored, checked to be as we store: chunked, no external files, only deflate, shuffle and
/// fletcher32, one or two dimensions, and no more elements than file_bytes can hold. Returns its shape. Throws Error
/// bad_data; where names the dataset.
std::vector<std::uint64_t> checked_shape(hid_t dataset, std::size_t bytes_per_element, std::uint64_t file_bytes,
                                         const std::string& where);

/// Rows of the chunks of a dataset that checked_shape() let pass.
std::uint64_t stored_chunk_rows(hid_t dataset, const std::string& where);

/// Opens a dataset with a chunk cache of a few of its chunks.
Handle open_with_cache(hid_t file, const std::string& name, const std::string& where);

}  // namespace chainrule::io::hdf5
