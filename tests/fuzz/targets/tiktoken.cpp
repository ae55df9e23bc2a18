#include "io/tokenizer/tokenizer_file.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(tiktoken) {
  const chainrule::fuzz::MemoryFile file(bytes);
  chainrule::io::tokenizer::read_tiktoken(file.path());
}
