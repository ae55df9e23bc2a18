#include "io/tokenizer/tokenizer.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace {

using chainrule::io::tokenizer::TokenId;
using chainrule::io::tokenizer::Tokenizer;

std::vector<TokenId> ids_of(const Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  tokenizer.encode_in_template("Don't stop  at 12 caf\u00e9s, e\u0301t\u00e9\n\xff \u2581to <b> <|endoftext|> ", ids);
  return ids;
}

}  // namespace

/// Ids are of the vocabulary, and what is written of a tokenizer is that tokenizer.
FUZZ_TARGET(tokenizer_json) {
  const chainrule::fuzz::MemoryFile file(bytes);
  const auto tokenizer = Tokenizer::load(file.path());
  const std::vector<TokenId> ids = ids_of(tokenizer);
  for (const TokenId id : ids) chainrule::fuzz::require(id < tokenizer.vocabulary_size(), "ids are of the vocabulary");
  static_cast<void>(tokenizer.decode(ids));
  const chainrule::fuzz::MemoryFile written(tokenizer.to_json());
  const auto again = Tokenizer::load(written.path());
  chainrule::fuzz::require(again.fingerprint() == tokenizer.fingerprint(), "what is written is read");
  chainrule::fuzz::require(ids_of(again) == ids, "equal tokenizers have equal ids");
}
