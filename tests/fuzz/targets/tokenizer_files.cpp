#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/use_tokenizer.h"

/// vocab.json, merges.txt and, where there is more, tokenizer_config.json, with a byte 0 between them.
FUZZ_TARGET(tokenizer_files) {
  const chainrule::fuzz::MemoryFolder folder;
  const auto next_file = [&](const char* name) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    folder.write(name, bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  };
  next_file("vocab.json");
  next_file("merges.txt");
  if (!bytes.empty()) next_file("tokenizer_config.json");
  chainrule::fuzz::ids_of_text(chainrule::io::tokenizer::Tokenizer::load(folder.path()));
}
