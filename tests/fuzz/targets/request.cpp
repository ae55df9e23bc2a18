#include "pipeline/evaluate/requests/request.h"
#include "tests/fuzz/target.h"

FUZZ_TARGET(request) {
  const auto request = chainrule::pipeline::evaluate::requests::parse_request(bytes, "fuzz");
  chainrule::fuzz::require(!request.rolling || request.context.empty(), "a text has no context");
}
