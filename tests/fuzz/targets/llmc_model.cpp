#include "io/tensors/llmc/file.h"
#include "tests/fuzz/external_model.h"
#include "tests/fuzz/stored_tensors.h"

FUZZ_TARGET(llmc_model) {
  const auto file = std::as_bytes(std::span(bytes));
  const auto header = chainrule::io::tensors::llmc::parse_header(file, "'fuzz'");
  chainrule::fuzz::check_tensors(chainrule::io::tensors::llmc::place_tensors(header, file), bytes);
  chainrule::fuzz::require(bytes.starts_with(chainrule::io::tensors::llmc::header_bytes(header)),
                           "a header is written as it was read");
  chainrule::fuzz::use_model(bytes);
}
