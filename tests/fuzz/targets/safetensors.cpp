#include "io/tensors/safetensors/header.h"
#include "tests/fuzz/stored_tensors.h"

FUZZ_TARGET(safetensors) {
  const auto file = std::as_bytes(std::span(bytes));
  chainrule::fuzz::check_tensors(chainrule::io::tensors::safetensors::parse_file(file, "'fuzz'"), bytes);
}
