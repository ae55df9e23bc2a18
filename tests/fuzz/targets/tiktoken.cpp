#include <algorithm>

#include "io/tokenizer/tokenizer_file.h"
#include "tests/fuzz/target.h"

/// Which vocabularies are known is told by the digest of a whole file, and that no fuzzer makes: the parser alone.
FUZZ_TARGET(tiktoken) {
  const auto tokens = chainrule::io::tokenizer::parse_tiktoken(bytes, "fuzz");
  chainrule::fuzz::require(std::none_of(tokens.begin(), tokens.end(), [](const auto& each) { return each.empty(); }),
                           "a token has bytes");
}
