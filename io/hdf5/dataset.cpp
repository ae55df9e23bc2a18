#include "io/hdf5/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "io/hdf5/storage.h"

namespace chainrule::io::hdf5 {
namespace {
/// Of one library call, about: between calls the lock goes to others.
constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20U;
/// Of one call whatever the chunks; HDF5 and the system below it stop at 2 GiB.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30U;
}  // namespace

void Dataset::require_type(ElementType type) const {
  if (type != type_) throw Error(ErrorKind::bad_data, fmt::format("{} has another element type than expected", where_));
}

/// Calls move(memory space, byte offset into values) for each piece, with the piece selected in space_.
template <class Transfer>
void Dataset::transfer(ElementType type, std::uint64_t first_row, std::size_t count, const Transfer& move) const {
  require_type(type);
  if (count == 0) return;
  const std::uint64_t row = row_elements();
  if (row == 0 || count % row != 0 || first_row > rows() || count / row > rows() - first_row) {
    throw Error(ErrorKind::bad_data, fmt::format("{}: {} elements from row {} are not whole rows of its {} x {}",
                                                 where_, count, first_row, rows(), row));
  }
  const std::uint64_t row_bytes = row * element_bytes(type);
  // Pieces end where chunks end: a chunk goes through its filters once, and the file is the same as from one call.
  const std::uint64_t chunk_rows = std::min(chunk_rows_, std::max<std::uint64_t>(1, kMostBytes / row_bytes));
  const std::uint64_t piece_rows = chunk_rows * std::max<std::uint64_t>(1, kPieceBytes / row_bytes / chunk_rows);
  const std::uint64_t end_row = first_row + count / row;
  const auto selecting = [&] { return "selecting rows of " + where_; };
  for (std::uint64_t at = first_row, end = 0; at < end_row; at = end) {
    end = std::min(end_row, at / chunk_rows * chunk_rows + piece_rows);
    const std::array<hsize_t, 2> start{at, 0};
    const std::array<hsize_t, 2> extent{end - at, row};
    const auto held = lock();
    check(H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
          ErrorKind::bad_data, selecting);
    const Handle memory(check(H5Screate_simple(static_cast<int>(shape_.size()), extent.data(), nullptr),
                              ErrorKind::input_output, selecting));
    move(memory.get(), (at - first_row) * row_bytes);
  }
}

void Dataset::read_rows(ElementType type, std::uint64_t first_row, void* values, std::size_t count) const {
  const std::uint64_t row_bytes = row_elements() * element_bytes(type);
  transfer(type, first_row, count, [&](hid_t memory, std::uint64_t offset) {
    const std::uint64_t row = first_row + offset / row_bytes;
    const auto rows = static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(memory)) / row_elements();
    deflated_.check_rows(id_.get(), row, row + rows, where_);
    check(H5Dread(id_.get(), disk_type(type), memory, space_.get(), H5P_DEFAULT,
                  static_cast<std::byte*>(values) + offset),
          ErrorKind::bad_data,
          [&] { return fmt::format("reading {} elements from row {} of {}", count, first_row, where_); });
  });
}

void Dataset::write_rows(ElementType type, std::uint64_t first_row, const void* values, std::size_t count) {
  transfer(type, first_row, count, [&](hid_t memory, std::uint64_t offset) {
    if (H5Dwrite(id_.get(), disk_type(type), memory, space_.get(), H5P_DEFAULT,
                 static_cast<const std::byte*>(values) + offset) >= 0) {
      return;
    }
    *failure_ = take_error();
    throw Error(ErrorKind::input_output, fmt::format("writing {} elements from row {} of {} failed (HDF5: {})", count,
                                                     first_row, where_, *failure_));
  });
}

}  // namespace chainrule::io::hdf5
