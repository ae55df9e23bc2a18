#include "io/hdf5/deflated_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "io/hdf5/call.h"

namespace chainrule::io::hdf5 {
namespace {

constexpr std::uint64_t kChecksumBytes = 4;

bool has_filter(hid_t properties, H5Z_filter_t filter) {
  const int filters = H5Pget_nfilters(properties);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    unsigned config = 0;
    std::size_t values = 0;
    if (H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config) == filter) {
      return true;
    }
  }
  return false;
}

/// Whether packed is one whole zlib stream of just so many bytes. Inflates no more than these and a little.
bool inflates_to(std::vector<std::uint8_t>& packed, std::uint64_t bytes) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  std::array<std::uint8_t, 65'536> inflated;
  int state = Z_OK;
  while (state == Z_OK && stream.total_out <= bytes) {
    stream.next_out = inflated.data();
    stream.avail_out = static_cast<uInt>(inflated.size());
    state = inflate(&stream, Z_NO_FLUSH);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END && stream.total_out == bytes;
}

}  // namespace

DeflatedChunks::DeflatedChunks(std::int64_t dataset, const std::string& where) {
  const auto reading = [&] { return "reading the layout of " + where; };
  const Handle properties(check(H5Dget_create_plist(dataset), ErrorKind::bad_data, reading));
  if (!has_filter(properties.get(), H5Z_FILTER_DEFLATE)) return;
  const Handle type(check(H5Dget_type(dataset), ErrorKind::bad_data, reading));
  const Handle space(check(H5Dget_space(dataset), ErrorKind::bad_data, reading));
  std::array<hsize_t, H5S_MAX_RANK> extent{};
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = check(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), ErrorKind::bad_data, reading);
  check(H5Pget_chunk(properties.get(), H5S_MAX_RANK, chunk.data()), ErrorKind::bad_data, reading);
  chunk_rows_ = chunk[0];
  chunk_bytes_ = H5Tget_size(type.get()) * chunk_rows_;
  if (rank == 2) {
    columns_ = extent[1];
    chunk_columns_ = chunk[1];
    chunk_bytes_ *= chunk_columns_;
  }
  checksum_bytes_ = has_filter(properties.get(), H5Z_FILTER_FLETCHER32) ? kChecksumBytes : 0;
  checked_.resize((extent[0] + chunk_rows_ - 1) / chunk_rows_);
}

void DeflatedChunks::check_rows(std::int64_t dataset, std::uint64_t first, std::uint64_t end,
                                const std::string& where) {
  if (checked_.empty()) return;
  for (std::uint64_t row = first / chunk_rows_; row * chunk_rows_ < end; ++row) {
    if (checked_[row]) continue;
    for (std::uint64_t column = 0; column < columns_; column += std::max<std::uint64_t>(chunk_columns_, 1)) {
      check_chunk(dataset, row * chunk_rows_, column, where);
    }
    checked_[row] = true;
  }
}

void DeflatedChunks::check_chunk(std::int64_t dataset, std::uint64_t row, std::uint64_t column,
                                 const std::string& where) const {
  const auto reading = [&] { return fmt::format("reading the chunk at row {} of {}", row, where); };
  const std::array<hsize_t, 2> offset{row, column};
  hsize_t stored = 0;
  check(H5Dget_chunk_storage_size(dataset, offset.data(), &stored), ErrorKind::bad_data, reading);
  std::vector<std::uint8_t> packed(stored);
  std::uint32_t skipped = 0;
  check(H5Dread_chunk(dataset, H5P_DEFAULT, offset.data(), &skipped, packed.data()), ErrorKind::bad_data, reading);
  const bool whole = stored > checksum_bytes_ && skipped == 0;
  if (whole) packed.resize(stored - checksum_bytes_);
  if (!whole || !inflates_to(packed, chunk_bytes_)) {
    throw Error(ErrorKind::bad_data,
                fmt::format("{} failed: it does not inflate to {} bytes", reading(), chunk_bytes_));
  }
}

}  // namespace chainrule::io::hdf5
