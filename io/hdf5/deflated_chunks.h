#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace chainrule::io::hdf5 {

/// Looks into deflated chunks before the library does, which takes for granted that they inflate to the bytes of a
/// chunk, and reads outside its buffer where they do not.
class DeflatedChunks {
 public:
  /// Nothing to look at: a dataset without deflate, or one that is being written.
  DeflatedChunks() = default;
  /// dataset is an open one that has data if it has rows. The caller holds the library's lock here and below. Throws
  /// Error bad_data with where.
  DeflatedChunks(std::int64_t dataset, const std::string& where);

  /// Rows [first, end) of the dataset. A chunk is looked at once. Throws Error bad_data with where.
  void check_rows(std::int64_t dataset, std::uint64_t first, std::uint64_t end, const std::string& where);

 private:
  void check_chunk(std::int64_t dataset, std::uint64_t row, std::uint64_t column, const std::string& where) const;

  std::vector<bool> checked_;        ///< of each row of chunks; none where there is nothing to look at
  std::uint64_t chunk_rows_ = 0;     ///< dataset rows of a chunk
  std::uint64_t chunk_columns_ = 0;  ///< elements of a row of a chunk; 0: of one dimension
  std::uint64_t columns_ = 1;        ///< elements of a row of the dataset
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t checksum_bytes_ = 0;
};

}  // namespace chainrule::io::hdf5
