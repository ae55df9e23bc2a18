#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/use_tokenizer.h"

/// What is written of a tokenizer is that tokenizer.
FUZZ_TARGET(tokenizer_json) {
  using chainrule::io::tokenizer::Tokenizer;
  const chainrule::fuzz::MemoryFile file(bytes);
  const auto tokenizer = Tokenizer::load(file.path());
  const auto ids = chainrule::fuzz::ids_of_text(tokenizer);
  const chainrule::fuzz::MemoryFile written(tokenizer.to_json());
  const auto again = chainrule::fuzz::read_again([&] { return Tokenizer::load(written.path()); });
  chainrule::fuzz::require(again.fingerprint() == tokenizer.fingerprint() &&
                               again.start_token() == tokenizer.start_token() &&
                               again.end_of_text() == tokenizer.end_of_text(),
                           "what is written is read");
  chainrule::fuzz::require(chainrule::fuzz::ids_of_text(again) == ids, "equal tokenizers have equal ids");
}
