#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "io/hdf5/deflated_chunks.h"
#include "io/hdf5/handle.h"

namespace chainrule::io::hdf5 {

/// Element types on disk, all little-endian. Nothing is converted: a file of another type is refused.
enum class ElementType { u16, u32, u64, f32, f64 };

template <class T>
constexpr ElementType element_type() {
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    return ElementType::u16;
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    return ElementType::u32;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return ElementType::u64;
  } else if constexpr (std::is_same_v<T, double>) {
    return ElementType::f64;
  } else {
    static_assert(std::is_same_v<T, float>, "no such element type");
    return ElementType::f32;
  }
}

/// How a new dataset lies on disk. Every dataset is chunked, with fletcher32 over each chunk.
struct DatasetLayout {
  std::uint64_t chunk_rows = 0;  ///< rows of a chunk; 0: as many as make about 1 MiB
  int deflate = 0;               ///< 0 none, else zlib's level 1 to 9
};

/// A one- or two-dimensional dataset, read and written by whole rows (a row of a one-dimensional one is an element).
/// Calls from several threads take turns, long ones piece by piece of a few MiB. It keeps its file open. Element count
/// 0 is allowed.
class Dataset {
 public:
  /// None yet; File makes the real ones.
  Dataset() = default;

  ElementType type() const { return type_; }
  const std::vector<std::uint64_t>& shape() const { return shape_; }
  std::uint64_t rows() const { return shape_.front(); }
  std::uint64_t row_elements() const { return shape_.size() == 2 ? shape_[1] : 1; }
  std::uint64_t elements() const { return rows() * row_elements(); }

  /// Rows [first_row, first_row + values.size() / row_elements()); values.size() is a multiple of row_elements(). Any
  /// size. Throws Error: bad_data for another element type, rows outside the dataset, or
  /// data that fail their checksum; input_output where the system failed.
  template <class T>
  void read(std::uint64_t first_row, std::span<T> values) const {
    read_rows(element_type<T>(), first_row, values.data(), values.size());
  }
  template <class T>
  std::vector<T> read_all() const {
    require_type(element_type<T>());
    std::vector<T> values(elements());
    read(0, std::span<T>(values));
    return values;
  }
  template <class T>
  void write(std::uint64_t first_row, std::span<const T> values) {
    write_rows(element_type<T>(), first_row, values.data(), values.size());
  }

 private:
  friend class File;
  void require_type(ElementType type) const;
  void read_rows(ElementType type, std::uint64_t first_row, void* values, std::size_t count) const;
  void write_rows(ElementType type, std::uint64_t first_row, const void* values, std::size_t count);
  template <class Transfer>
  void transfer(ElementType type, std::uint64_t first_row, std::size_t count, const Transfer& move) const;

  Handle id_;
  Handle space_;
  ElementType type_ = ElementType::f32;
  std::vector<std::uint64_t> shape_{0};
  std::uint64_t chunk_rows_ = 1;
  WriteFailure failure_;             ///< of its file; null where that is read
  mutable DeflatedChunks deflated_;  ///< of a dataset of a file opened for reading; under the library's lock
  std::string where_;                ///< "dataset 'tokens' of 'a-00000.h5'", for messages
};

}  // namespace chainrule::io::hdf5
