#include <algorithm>
#include <cstring>
#include <span>

#include "io/error.h"
#include "io/tokens/foreign/megatron_index.h"
#include "tests/fuzz/target.h"

/// Bytes of the data that the index describes, u64, and the index.
FUZZ_TARGET(megatron_index) {
  std::uint64_t data_bytes = 0;
  if (bytes.size() < sizeof data_bytes) {
    throw chainrule::io::Error(chainrule::io::ErrorKind::bad_data, "the input is too short");
  }
  std::memcpy(&data_bytes, bytes.data(), sizeof data_bytes);
  const auto index = chainrule::io::tokens::foreign::parse_megatron_index(
      std::as_bytes(std::span(bytes)).subspan(sizeof data_bytes), data_bytes);
  chainrule::fuzz::require(std::is_sorted(index.documents.begin(), index.documents.end()), "documents are in order");
  chainrule::fuzz::require(index.documents.empty() || index.documents.back() <= data_bytes, "they lie in the data");
}
