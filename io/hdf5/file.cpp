#include "io/hdf5/file.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/hdf5/storage.h"
#include "io/hdf5/structure/check_structure.h"
#include "io/quote.h"

namespace chainrule::io::hdf5 {
namespace {

constexpr std::uint64_t kDefaultChunkBytes = std::uint64_t{1} << 20U;

Handle access_properties(H5F_close_degree_t degree) {
  const auto making = [] { return std::string("describing file access"); };
  Handle properties(check(H5Pcreate(H5P_FILE_ACCESS), ErrorKind::input_output, making));
  check(H5Pset_fclose_degree(properties.get(), degree), ErrorKind::input_output, making);
  // The oldest forms: old readers open them, and they are those that check_structure() knows.
  check(H5Pset_libver_bounds(properties.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST), ErrorKind::input_output,
        making);
  // No locks: a file system may have none, and nobody reads a file before it is whole and in its place.
  check(H5Pset_file_locking(properties.get(), false, true), ErrorKind::input_output, making);
  return properties;
}

/// A chunk has the rows asked for, or about kDefaultChunkBytes of them but no more than there are.
hsize_t chunk_rows(const DatasetLayout& layout, std::uint64_t rows, std::uint64_t row_bytes) {
  if (layout.chunk_rows != 0) return layout.chunk_rows;
  const std::uint64_t fitting = kDefaultChunkBytes / std::max<std::uint64_t>(row_bytes, 1);
  return std::clamp<std::uint64_t>(fitting, 1, std::max<std::uint64_t>(rows, 1));
}

}  // namespace

std::string File::in_file(const std::string& operation) const {
  return fmt::format("{} {}", operation, path_in_quotes(path_));
}

File File::create(const std::filesystem::path& path) {
  const auto held = lock();
  File file;
  file.path_ = path;
  const auto creating = [&] { return file.in_file("creating"); };
  // Datasets left open at close() are a mistake that shows.
  const Handle access = access_properties(H5F_CLOSE_SEMI);
  file.failure_ = std::make_shared<std::string>();
  file.id_ = Handle(
      check(H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.get()), ErrorKind::cannot_create, creating),
      file.failure_);
  return file;
}

File File::open(const std::filesystem::path& path) {
  check_structure(path);
  const auto held = lock();
  File file;
  file.path_ = path;
  std::error_code error;
  file.bytes_ = std::filesystem::file_size(path, error);
  if (error) {
    throw Error(ErrorKind::missing_input, fmt::format("cannot open '{}': {}", path.string(), error.message()));
  }
  const Handle access = access_properties(H5F_CLOSE_WEAK);
  file.id_ = Handle(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), ErrorKind::bad_data,
                          [&] { return file.in_file("opening"); }));
  return file;
}

Dataset File::create_dataset(const std::string& name, ElementType type, const std::vector<std::uint64_t>& shape,
                             const DatasetLayout& layout) {
  const auto held = lock();
  Dataset made;
  made.where_ = in_file(fmt::format("dataset {} of", in_quotes(name)));
  if (shape.empty() || shape.size() > 2 || name.empty() || name.find('/') != std::string::npos) {
    throw Error(ErrorKind::cannot_create,
                fmt::format("{} needs 1 or 2 dimensions and a name without '/'", made.where_));
  }
  const auto creating = [&] { return "creating " + made.where_; };
  made.type_ = type;
  made.shape_ = shape;
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  std::vector<hsize_t> chunk(extent);
  for (hsize_t& each : chunk) each = std::max<hsize_t>(each, 1);
  chunk[0] = chunk_rows(layout, made.rows(), made.row_elements() * element_bytes(type));
  made.chunk_rows_ = chunk[0];
  // A chunk may not be larger than a dataset can grow to: room for one whole chunk, though none ever grows.
  std::vector<hsize_t> limit(extent);
  for (std::size_t i = 0; i < limit.size(); ++i) limit[i] = std::max(limit[i], chunk[i]);
  made.space_ = Handle(check(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), limit.data()),
                             ErrorKind::cannot_create, creating));
  const Handle properties = creation_properties(chunk, layout.deflate);
  {
    const Handle plain(check(H5Dcreate2(id_.get(), name.c_str(), disk_type(type), made.space_.get(), H5P_DEFAULT,
                                        properties.get(), H5P_DEFAULT),
                             ErrorKind::input_output, creating),
                       failure_);
  }
  made.id_ = Handle(open_with_cache(id_.get(), name, made.where_).release(), failure_);
  made.failure_ = failure_;
  return made;
}

/// A dataset below the root, reached by a hard link: nothing that leads elsewhere is followed.
Handle File::open_stored(const std::string& name) const {
  const std::string where = in_file(fmt::format("dataset {} of", in_quotes(name)));
  H5L_info_t link{};
  if (name.find('/') != std::string::npos || H5Lexists(id_.get(), name.c_str(), H5P_DEFAULT) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ErrorKind::bad_data, fmt::format("{} is not there", where));
  }
  check(H5Lget_info(id_.get(), name.c_str(), &link, H5P_DEFAULT), ErrorKind::bad_data,
        [&] { return "reading the link to " + where; });
  if (link.type != H5L_TYPE_HARD) {
    throw Error(ErrorKind::bad_data, fmt::format("{} is a link to somewhere else", where));
  }
  return open_with_cache(id_.get(), name, where);
}

Dataset File::dataset(const std::string& name) const {
  const auto held = lock();
  Dataset found;
  found.where_ = in_file(fmt::format("dataset {} of", in_quotes(name)));
  found.id_ = open_stored(name);
  const auto reading = [&] { return "reading the type of " + found.where_; };
  const Handle type(check(H5Dget_type(found.id_.get()), ErrorKind::bad_data, reading));
  bool known = false;
  for (const auto each : {ElementType::u16, ElementType::u32, ElementType::u64, ElementType::f32, ElementType::f64}) {
    if (check(H5Tequal(type.get(), disk_type(each)), ErrorKind::bad_data, reading) > 0) {
      found.type_ = each;
      known = true;
    }
  }
  if (!known) throw Error(ErrorKind::bad_data, fmt::format("{} has an unknown element type", found.where_));
  found.shape_ = checked_shape(found.id_.get(), element_bytes(found.type_), bytes_, found.where_);
  found.chunk_rows_ = stored_chunk_rows(found.id_.get(), found.where_);
  found.space_ = Handle(check(H5Dget_space(found.id_.get()), ErrorKind::bad_data, reading));
  found.deflated_ = DeflatedChunks(found.id_.get(), found.where_);
  return found;
}

std::vector<std::string> File::names() const {
  const auto held = lock();
  const auto listing = [&] { return in_file("listing"); };
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
    static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  check(H5Literate(id_.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &names), ErrorKind::bad_data, listing);
  std::sort(names.begin(), names.end());
  return names;
}

void File::set_format(const FileFormat& format) {
  set_attribute("format", std::string(format.name));
  set_attribute("format_version", format.version);
}

void File::require_format(const FileFormat& format) const {
  if (const std::string name = text_attribute("format"); name != format.name) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} is a {}, not a '{}'", path_in_quotes(path_), in_quotes(name), format.name));
  }
  if (const std::uint64_t version = number_attribute("format_version"); version != format.version) {
    throw Error(ErrorKind::bad_data, fmt::format("'{}' has format version {}; this program reads {}", path_.string(),
                                                 version, format.version));
  }
}

void File::close() {
  const auto held = lock();
  if (failure_->empty() && !write_out(id_.get())) *failure_ = take_error();
  if (!failure_->empty()) {
    throw Error(ErrorKind::input_output, fmt::format("{} failed (HDF5: {})", in_file("flushing"), *failure_));
  }
  check(H5Fclose(id_.release()), ErrorKind::input_output, [&] { return in_file("closing"); });
}

}  // namespace chainrule::io::hdf5
