#include "io/tokenizer/tokenizer_file.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

/// vocab.json, a byte 0, merges.txt.
FUZZ_TARGET(tokenizer_files) {
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  const chainrule::fuzz::MemoryFile vocabulary(bytes.substr(0, end));
  const chainrule::fuzz::MemoryFile merges(bytes.substr(std::min(end + 1, bytes.size())));
  chainrule::io::tokenizer::read_gpt2(vocabulary.path(), merges.path());
}
