#include "io/tensors/verify_written.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/error.h"

namespace chainrule::io::tensors {

void verify_written(const hdf5::Dataset& dataset, std::span<const float> values, const std::filesystem::path& path) {
  constexpr std::uint64_t kSlabElements = 1U << 20U;
  const std::uint64_t row = std::max<std::uint64_t>(dataset.row_elements(), 1);
  const std::uint64_t slab_rows = std::max<std::uint64_t>(kSlabElements / row, 1);
  std::vector<float> slab;
  for (std::uint64_t first = 0; first < dataset.rows(); first += slab_rows) {
    slab.resize(std::min(slab_rows, dataset.rows() - first) * row);
    dataset.read(first, std::span(slab));
    if (std::memcmp(slab.data(), values.data() + first * row, slab.size() * sizeof(float)) != 0) {
      throw Error(ErrorKind::input_output, "'" + path.string() + "' does not read back as it was written");
    }
  }
}

}  // namespace chainrule::io::tensors
