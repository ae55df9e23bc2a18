#include "io/tokenizer/tokenizer.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/target.h"

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
  const auto tokenizer = chainrule::io::tokenizer::Tokenizer::load(folder.path());
  std::vector<chainrule::io::tokenizer::TokenId> ids;
  tokenizer.encode_with_special_tokens("Don't stop  at 12 caf\u00e9s, e\u0301t\u00e9\n\xff <|endoftext|> ", ids);
  for (const auto id : ids) chainrule::fuzz::require(id < tokenizer.vocabulary_size(), "ids are of the vocabulary");
  static_cast<void>(tokenizer.decode(ids));
}
