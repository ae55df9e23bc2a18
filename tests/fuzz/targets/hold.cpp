#include "pipeline/run/holder.h"

#include "io/error.h"
#include "tests/fuzz/target.h"

/// Who is read can be written, named on one line and asked after, and its id is a file's name.
FUZZ_TARGET(hold) {
  namespace run = chainrule::pipeline::run;
  const std::optional<run::Holder> holder = run::parse_holder(bytes);
  if (!holder) throw chainrule::io::Error(chainrule::io::ErrorKind::bad_data, "no holder");
  chainrule::fuzz::require(holder->id.find_first_not_of("0123456789abcdef") == std::string::npos, "an id is digits");
  chainrule::fuzz::require(run::name_of(*holder).find('\n') == std::string::npos, "a name is a line");
  static_cast<void>(run::is_running(holder->process));
  const std::optional<run::Holder> again = run::parse_holder(run::to_json_text(*holder));
  chainrule::fuzz::require(again && again->id == holder->id, "what is written is read");
}
