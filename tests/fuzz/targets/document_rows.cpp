#include "pipeline/evaluate/compare/document_rows.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(document_rows) {
  const chainrule::fuzz::MemoryFile file(bytes);
  chainrule::pipeline::evaluate::compare::DocumentRows rows(file.path());
  chainrule::pipeline::evaluate::compare::DocumentRow row;
  for (std::uint64_t index = 0; rows.next(row); ++index) {
    chainrule::fuzz::require(row.index == index && row.text_tokens <= row.tokens_scored, "rows are in order");
  }
}
