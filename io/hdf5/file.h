#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/dataset.h"
#include "io/hdf5/handle.h"

namespace chainrule::io::hdf5 {

/// What the attributes `format` and `format_version` of a file say.
struct FileFormat {
  const char* name;
  std::uint64_t version;
};

/// An HDF5 file of ours: datasets and attributes directly below its root. Object times are off, so that the same calls
/// make the same bytes; the library's oldest forms are used, so that old readers open it.
///
/// Files are not trusted: their structure is checked before the library sees them (structure/check_structure.h), and
/// other types and ranks, and sizes that the file could not hold, are refused before anything is read.
///
///   File file = File::create(path);
///   file.create_dataset("w", ElementType::f32, {768, 3072}).write<float>(0, values);
///   file.close();
///   sync_path(path);
class File {
 public:
  /// A new file. Throws Error cannot_create, also where path is there already.
  static File create(const std::filesystem::path& path);
  /// Opens for reading. Throws Error: missing_input, bad_data where it is no HDF5 file of our forms or is truncated.
  static File open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }

  /// shape has one or two dimensions. The dataset goes before close().
  Dataset create_dataset(const std::string& name, ElementType type, const std::vector<std::uint64_t>& shape,
                         const DatasetLayout& layout = {});
  /// Throws Error bad_data where it is absent or not one that we write.
  Dataset dataset(const std::string& name) const;
  /// Names of everything below the root, in byte order.
  std::vector<std::string> names() const;

  /// A one-dimensional dataset, whole.
  template <class T>
  void write_dataset(const std::string& name, std::span<const T> values, const DatasetLayout& layout = {}) {
    create_dataset(name, element_type<T>(), {values.size()}, layout).write(0, values);
  }
  /// A one-dimensional dataset of UTF-8 strings, on disk of the longest one's length, filled with NUL bytes.
  void write_strings(const std::string& name, const std::vector<std::string>& values, const DatasetLayout& layout = {});
  std::vector<std::string> read_strings(const std::string& name) const;

  void set_format(const FileFormat& format);
  /// Throws Error bad_data where the file does not say that it is of this format and version.
  void require_format(const FileFormat& format) const;

  /// Attributes of the root.
  void set_attribute(const std::string& name, std::uint64_t value);
  void set_attribute(const std::string& name, const std::string& value);
  /// Throw Error bad_data where it is absent or of another type.
  std::uint64_t number_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;

  /// Flushes and closes, so that failures to write are not lost in a destructor. Throws Error input_output. Syncing
  /// (io::sync_path) and verifying are the caller's.
  void close();

 private:
  File() = default;
  std::string in_file(const std::string& operation) const;
  Handle open_stored(const std::string& name) const;

  WriteFailure failure_;  ///< of a file that is written
  Handle id_;
  std::filesystem::path path_;
  std::uint64_t bytes_ = 0;  ///< of a file opened for reading
};

}  // namespace chainrule::io::hdf5
