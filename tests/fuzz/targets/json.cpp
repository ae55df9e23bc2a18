#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "io/files/untrusted_json.h"
#include "tests/fuzz/target.h"

/// Both ways of parsing agree, and what was parsed is written as itself.
FUZZ_TARGET(json) {
  using namespace chainrule::io::files;
  const nlohmann::json value = parse_untrusted_json(bytes, "'fuzz'");
  chainrule::fuzz::require(parse_json_if_valid(bytes) == value, "both parsers read the same");
  const auto again = chainrule::fuzz::read_again([&] { return parse_untrusted_json(json_text(value), "'fuzz'"); });
  chainrule::fuzz::require(again == value, "a value is written as itself");
}
