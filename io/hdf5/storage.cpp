#include "io/hdf5/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace chainrule::io::hdf5 {
namespace {

constexpr std::size_t kCachedChunks = 4;
constexpr std::size_t kCacheSlots = 97;  // a prime, well above the chunks held
/// zlib cannot pack more than 1,032 bytes into one.
constexpr std::uint64_t kMostDeflation = 1032;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::bad_data, fmt::format("{} {}", where, what));
}

void check_filters(hid_t properties, const std::string& where) {
  const auto reading = [&] { return "reading the filters of " + where; };
  const int filters = check(H5Pget_nfilters(properties), ErrorKind::bad_data, reading);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t parameters = 0;
    const H5Z_filter_t filter =
        check(H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &parameters, nullptr, 0, nullptr, &config),
              ErrorKind::bad_data, reading);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
      refuse(where, fmt::format("uses HDF5 filter {}, which chainrule does not read", filter));
    }
  }
}

/// Bytes of a chunk of the dataset; rank is filled in.
std::uint64_t chunk_bytes(hid_t dataset, const std::string& where) {
  const auto reading = [&] { return "reading the layout of " + where; };
  const Handle properties(check(H5Dget_create_plist(dataset), ErrorKind::bad_data, reading));
  const Handle type(check(H5Dget_type(dataset), ErrorKind::bad_data, reading));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) refuse(where, "is not stored in chunks");
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = check(H5Pget_chunk(properties.get(), H5S_MAX_RANK, chunk.data()), ErrorKind::bad_data, reading);
  std::uint64_t bytes = H5Tget_size(type.get());
  for (int i = 0; i < rank; ++i) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(chunk[static_cast<std::size_t>(i)]), &bytes) ||
        bytes > std::numeric_limits<std::uint32_t>::max()) {
      refuse(where, "has chunks of impossible size");
    }
  }
  return bytes;
}

}  // namespace

std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::u16: return 2;
    case ElementType::u32:
    case ElementType::f32: return 4;
    case ElementType::u64:
    case ElementType::f64: return 8;
  }
  return 0;
}

hid_t disk_type(ElementType type) {
  switch (type) {
    case ElementType::u16: return H5T_STD_U16LE;
    case ElementType::u32: return H5T_STD_U32LE;
    case ElementType::u64: return H5T_STD_U64LE;
    case ElementType::f32: return H5T_IEEE_F32LE;
    case ElementType::f64: return H5T_IEEE_F64LE;
  }
  return H5I_INVALID_HID;
}

Handle string_type(std::size_t bytes) {
  const auto making = [] { return std::string("making a string type"); };
  Handle type(check(H5Tcopy(H5T_C_S1), ErrorKind::input_output, making));
  check(H5Tset_size(type.get(), std::max<std::size_t>(bytes, 1)), ErrorKind::input_output, making);
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), ErrorKind::input_output, making);
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), ErrorKind::input_output, making);
  return type;
}

Handle creation_properties(const std::vector<hsize_t>& chunk, int deflate) {
  const auto making = [] { return std::string("describing a dataset's layout"); };
  Handle properties(check(H5Pcreate(H5P_DATASET_CREATE), ErrorKind::input_output, making));
  check(H5Pset_obj_track_times(properties.get(), false), ErrorKind::input_output, making);
  check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), ErrorKind::input_output, making);
  if (deflate != 0) {
    check(H5Pset_deflate(properties.get(), static_cast<unsigned>(deflate)), ErrorKind::input_output, making);
  }
  check(H5Pset_fletcher32(properties.get()), ErrorKind::input_output, making);
  return properties;
}

std::vector<std::uint64_t> checked_shape(hid_t dataset, std::size_t bytes_per_element, std::uint64_t file_bytes,
                                         const std::string& where) {
  const auto reading = [&] { return "reading the layout of " + where; };
  const Handle properties(check(H5Dget_create_plist(dataset), ErrorKind::bad_data, reading));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) refuse(where, "is not stored in chunks");
  if (check(H5Pget_external_count(properties.get()), ErrorKind::bad_data, reading) != 0) {
    refuse(where, "has its data in another file");
  }
  check_filters(properties.get(), where);
  const Handle space(check(H5Dget_space(dataset), ErrorKind::bad_data, reading));
  const int rank = check(H5Sget_simple_extent_ndims(space.get()), ErrorKind::bad_data, reading);
  if (rank != 1 && rank != 2) refuse(where, fmt::format("has {} dimensions, not 1 or 2", rank));
  std::array<hsize_t, 2> dimensions{};
  check(H5Sget_simple_extent_dims(space.get(), dimensions.data(), nullptr), ErrorKind::bad_data, reading);
  std::uint64_t bytes = bytes_per_element;
  for (int i = 0; i < rank; ++i) {
    const auto extent = static_cast<std::uint64_t>(dimensions[static_cast<std::size_t>(i)]);
    if (__builtin_mul_overflow(bytes, extent, &bytes) || bytes / kMostDeflation > file_bytes) {
      refuse(where, "claims more elements than its file can hold");
    }
  }
  return {dimensions.begin(), dimensions.begin() + rank};
}

std::uint64_t stored_chunk_rows(hid_t dataset, const std::string& where) {
  const auto reading = [&] { return "reading the layout of " + where; };
  const Handle properties(check(H5Dget_create_plist(dataset), ErrorKind::bad_data, reading));
  std::array<hsize_t, 2> chunk{};
  check(H5Pget_chunk(properties.get(), 2, chunk.data()), ErrorKind::bad_data, reading);
  return chunk[0];
}

Handle open_with_cache(hid_t file, const std::string& name, const std::string& where) {
  const auto opening = [&] { return "opening " + where; };
  std::uint64_t cache_bytes = 0;
  {
    const Handle plain(check(H5Dopen2(file, name.c_str(), H5P_DEFAULT), ErrorKind::bad_data, opening));
    cache_bytes = kCachedChunks * chunk_bytes(plain.get(), where);
  }
  const Handle access(check(H5Pcreate(H5P_DATASET_ACCESS), ErrorKind::input_output, opening));
  check(H5Pset_chunk_cache(access.get(), kCacheSlots, cache_bytes, 1.0), ErrorKind::input_output, opening);
  return Handle(check(H5Dopen2(file, name.c_str(), access.get()), ErrorKind::bad_data, opening));
}

}  // namespace chainrule::io::hdf5
