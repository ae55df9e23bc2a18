#include <algorithm>
#include <span>

#include "io/tokens/foreign/llmc_header.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(llmc_tokens) {
  const auto header = chainrule::io::tokens::foreign::parse_llmc_header(
      std::as_bytes(std::span(bytes)).first(std::min(bytes.size(), chainrule::io::tokens::foreign::kLlmcHeaderBytes)),
      bytes.size());
  chainrule::fuzz::require(header.tokens <= bytes.size(), "the tokens lie in the file");
}
