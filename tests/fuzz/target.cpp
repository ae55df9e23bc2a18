#include "tests/fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "io/error.h"
#include "io/quote.h"

namespace chainrule::fuzz {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

std::optional<std::string> run_target(const Target& target, std::string_view bytes) {
  try {
    target.run(bytes);
    return std::nullopt;
  } catch (const io::Error& error) {
    if (error.kind() != io::ErrorKind::bad_data) throw;
    if (io::on_one_line(error.what()) != error.what()) {
      throw std::logic_error("a message that a terminal would obey: " + io::on_one_line(error.what()));
    }
    return error.what();
  }
}

void require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace chainrule::fuzz
