#include "io/hdf5/file.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

/// The check of the structure, and then what it is for: that the library can read what passed.
FUZZ_TARGET(hdf5_structure) {
  const chainrule::fuzz::MemoryFile memory(bytes);
  const auto file = chainrule::io::hdf5::File::open(memory.path());
  for (const std::string& name : file.names()) file.dataset(name).shape();
}
