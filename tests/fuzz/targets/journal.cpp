#include "pipeline/evaluate/journal/journal.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(journal) {
  const chainrule::fuzz::MemoryFile file(bytes);
  const auto journal = chainrule::pipeline::evaluate::journal::Journal::read(file.path());
  std::uint64_t tokens = 0;
  for (const auto& [first, end] : journal.ranges()) {
    for (std::uint64_t unit = first; unit < end; ++unit) tokens += journal.result(unit).tokens();
  }
  chainrule::fuzz::require(tokens == journal.tokens(), "units hold the tokens");
}
