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

/// Whether it can be read; a part that is damaged may say so.
template <class Read>
bool is_read(const Read& read) {
  try {
    read();
    return true;
  } catch (const chainrule::io::Error& error) {
    chainrule::fuzz::require(error.kind() == chainrule::io::ErrorKind::bad_data, "damage is bad data");
    return false;
  }
}

}  // namespace

/// The check of the structure, and then what it is for: that the library can read what passed, of numbers, texts and
/// attributes. One dataset at least is read.
FUZZ_TARGET(hdf5_structure) {
  const chainrule::fuzz::MemoryFolder folder;
  const auto file = chainrule::io::hdf5::File::open(folder.write("file", bytes));
  std::size_t read = 0;
  for (const std::string& name : file.names()) {
    if (is_read([&] { read_some_of_its_type(file.dataset(name)); })) ++read;
    if (is_read([&] { file.read_strings(name); })) ++read;
  }
  is_read([&] { file.text_attribute("format"); });
  is_read([&] { file.number_attribute("format_version"); });
  if (read == 0) throw chainrule::io::Error(chainrule::io::ErrorKind::bad_data, "no dataset can be read");
}
