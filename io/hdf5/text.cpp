// The members of File that deal in strings and attributes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "io/hdf5/deflated_chunks.h"
#include "io/hdf5/file.h"
#include "io/hdf5/storage.h"
#include "io/quote.h"

namespace chainrule::io::hdf5 {
namespace {

constexpr std::size_t kLongestAttribute = 4096;

Handle scalar(const std::string& where) {
  return Handle(check(H5Screate(H5S_SCALAR), ErrorKind::input_output, [&] { return "describing " + where; }));
}

void write_attribute(hid_t file, const std::string& name, hid_t type, const void* value, const std::string& where) {
  const auto writing = [&] { return "writing " + where; };
  const Handle space = scalar(where);
  const Handle attribute(check(H5Acreate2(file, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                               ErrorKind::input_output, writing));
  check(H5Awrite(attribute.get(), type, value), ErrorKind::input_output, writing);
}

Handle open_attribute(hid_t file, const std::string& name, const std::string& where) {
  if (H5Aexists(file, name.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::bad_data, fmt::format("{} is not there", where));
  }
  const auto opening = [&] { return "opening " + where; };
  Handle attribute(check(H5Aopen(file, name.c_str(), H5P_DEFAULT), ErrorKind::bad_data, opening));
  const Handle space(check(H5Aget_space(attribute.get()), ErrorKind::bad_data, opening));
  if (H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is not a single value", where));
  }
  return attribute;
}

/// Bytes of a fixed-length string type; throws where it is anything else.
std::size_t string_bytes(hid_t type, const std::string& where) {
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || H5Tget_size(type) == 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::bad_data, fmt::format("{} is not of fixed-length strings", where));
  }
  return H5Tget_size(type);
}

std::string without_filling(const char* text, std::size_t bytes) { return {text, strnlen(text, bytes)}; }

}  // namespace

void File::set_attribute(const std::string& name, std::uint64_t value) {
  const auto held = lock();
  write_attribute(id_.get(), name, H5T_STD_U64LE, &value, in_file(fmt::format("attribute {} of", in_quotes(name))));
}

void File::set_attribute(const std::string& name, const std::string& value) {
  const auto held = lock();
  const Handle type = string_type(value.size());
  write_attribute(id_.get(), name, type.get(), value.c_str(), in_file(fmt::format("attribute {} of", in_quotes(name))));
}

std::uint64_t File::number_attribute(const std::string& name) const {
  const auto held = lock();
  const std::string where = in_file(fmt::format("attribute {} of", in_quotes(name)));
  const auto reading = [&] { return "reading " + where; };
  const Handle attribute = open_attribute(id_.get(), name, where);
  const Handle type(check(H5Aget_type(attribute.get()), ErrorKind::bad_data, reading));
  if (check(H5Tequal(type.get(), H5T_STD_U64LE), ErrorKind::bad_data, reading) == 0) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is not an unsigned 64-bit number", where));
  }
  std::uint64_t value = 0;
  check(H5Aread(attribute.get(), H5T_STD_U64LE, &value), ErrorKind::bad_data, reading);
  return value;
}

std::string File::text_attribute(const std::string& name) const {
  const auto held = lock();
  const std::string where = in_file(fmt::format("attribute {} of", in_quotes(name)));
  const auto reading = [&] { return "reading " + where; };
  const Handle attribute = open_attribute(id_.get(), name, where);
  const Handle type(check(H5Aget_type(attribute.get()), ErrorKind::bad_data, reading));
  const std::size_t bytes = string_bytes(type.get(), where);
  if (bytes > kLongestAttribute) throw Error(ErrorKind::bad_data, fmt::format("{} is too long", where));
  std::string value(bytes, '\0');
  check(H5Aread(attribute.get(), type.get(), value.data()), ErrorKind::bad_data, reading);
  return without_filling(value.data(), bytes);
}

void File::write_strings(const std::string& name, const std::vector<std::string>& values, const DatasetLayout& layout) {
  const auto held = lock();
  const std::string where = in_file(fmt::format("dataset {} of", in_quotes(name)));
  const auto writing = [&] { return "writing " + where; };
  std::size_t bytes = 1;
  for (const auto& value : values) bytes = std::max(bytes, value.size());
  std::string filled(values.size() * bytes, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(filled.data() + i * bytes, bytes);
  const Handle type = string_type(bytes);
  const hsize_t extent = values.size();
  constexpr std::size_t kMostChunkBytes = std::size_t{64} << 20U;  // HDF5's own limit is 4 GiB
  const hsize_t wanted = layout.chunk_rows != 0 ? layout.chunk_rows : std::max<hsize_t>(extent, 1);
  const hsize_t chunk = std::clamp<hsize_t>(kMostChunkBytes / bytes, 1, wanted);
  const hsize_t limit = std::max(extent, chunk);
  const Handle space(check(H5Screate_simple(1, &extent, &limit), ErrorKind::input_output, writing));
  const Handle properties = creation_properties({chunk}, layout.deflate);
  const Handle dataset(
      check(H5Dcreate2(id_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
            ErrorKind::input_output, writing));
  if (extent == 0) return;
  check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, filled.data()), ErrorKind::input_output,
        writing);
}

std::vector<std::string> File::read_strings(const std::string& name) const {
  const auto held = lock();
  const std::string where = in_file(fmt::format("dataset {} of", in_quotes(name)));
  const auto reading = [&] { return "reading " + where; };
  const Handle dataset = open_stored(name);
  const Handle type(check(H5Dget_type(dataset.get()), ErrorKind::bad_data, reading));
  const std::size_t bytes = string_bytes(type.get(), where);
  const auto shape = checked_shape(dataset.get(), bytes, bytes_, where);
  if (shape.size() != 1)
    throw Error(ErrorKind::bad_data, fmt::format("{} has {} dimensions, not 1", where, shape.size()));
  std::string filled(shape[0] * bytes, '\0');
  if (!filled.empty()) {
    DeflatedChunks(dataset.get(), where).check_rows(dataset.get(), 0, shape[0], where);
    check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, filled.data()), ErrorKind::bad_data,
          reading);
  }
  std::vector<std::string> values;
  values.reserve(shape[0]);
  for (std::size_t at = 0; at < filled.size(); at += bytes)
    values.push_back(without_filling(filled.data() + at, bytes));
  return values;
}

}  // namespace chainrule::io::hdf5
