#include "io/tokens/dataset_index.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(dataset_index) {
  const auto index = chainrule::io::tokens::DataSetIndex::parse(bytes, "fuzz");
  const auto again =
      chainrule::fuzz::read_again([&] { return chainrule::io::tokens::DataSetIndex::parse(index.to_json(), "fuzz"); });
  chainrule::fuzz::require(again.to_json() == index.to_json(), "an index is written as it was read");
}
