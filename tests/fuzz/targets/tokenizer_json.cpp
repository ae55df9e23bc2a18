#include "io/tokenizer/tokenizer.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(tokenizer_json) {
  const chainrule::fuzz::MemoryFile file(bytes);
  const auto tokenizer = chainrule::io::tokenizer::Tokenizer::load(file.path());
  std::vector<chainrule::io::tokenizer::TokenId> ids;
  tokenizer.encode_with_special_tokens("Don't stop  at 12 caf\u00e9s\n\xff <|endoftext|>", ids);
  for (const auto id : ids) chainrule::fuzz::require(id < tokenizer.vocabulary_size(), "ids are of the vocabulary");
  static_cast<void>(tokenizer.decode(ids));
}
