#include "tests/fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "io/error.h"

namespace chainrule::fuzz {
namespace {

// Messages quote a few words of what a file says, and a byte may be spelled in six.
constexpr std::size_t kMostOfAMessage = 4000;

}  // namespace

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
    const std::string message = error.what();
    if (message.size() > kMostOfAMessage) throw std::logic_error("a message of pages: " + message);
    return message;
  }
}

void require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace chainrule::fuzz
