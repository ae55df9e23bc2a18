#include <algorithm>

#include "io/error.h"
#include "io/hdf5/file.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/target.h"

namespace {

using chainrule::io::hdf5::Dataset;
using chainrule::io::hdf5::ElementType;

template <class T>
void read_some(const Dataset& dataset) {
  constexpr std::uint64_t kElements = 4096;
  const std::uint64_t row = std::max<std::uint64_t>(dataset.row_elements(), 1);
  const std::uint64_t rows = std::min(dataset.rows(), kElements / row);
  std::vector<T> values(rows * dataset.row_elements());
  dataset.read(dataset.rows() - rows, std::span<T>(values));
}

void read_some_of_its_type(const Dataset& dataset) {
  switch (dataset.type()) {
    case ElementType::u16: return read_some<std::uint16_t>(dataset);
    case ElementType::u32: return read_some<std::uint32_t>(dataset);
    case ElementType::u64: return read_some<std::uint64_t>(dataset);
    case ElementType::f32: return read_some<float>(dataset);
    case ElementType::f64: return read_some<double>(dataset);
  }
}

}  // namespace

/// The check of the structure, and then what it is for: that the library can read what passed. A dataset that is
/// damaged itself may say so; one of them is read.
FUZZ_TARGET(hdf5_structure) {
  const chainrule::fuzz::MemoryFolder folder;
  const auto file = chainrule::io::hdf5::File::open(folder.write("file", bytes));
  std::size_t read = 0;
  std::string damage = "no datasets";
  for (const std::string& name : file.names()) {
    try {
      read_some_of_its_type(file.dataset(name));
      ++read;
    } catch (const chainrule::io::Error& error) {
      chainrule::fuzz::require(error.kind() == chainrule::io::ErrorKind::bad_data, "damage is bad data");
      damage = error.what();
    }
  }
  if (read == 0) throw chainrule::io::Error(chainrule::io::ErrorKind::bad_data, damage);
}
