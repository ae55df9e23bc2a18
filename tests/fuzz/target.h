// What is fuzzed: a parser is one file in targets/, and a folder of the same name in corpus/ with inputs to begin from.
#pragma once
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chainrule::fuzz {

/// Reads bytes of unknown origin, and uses what it read of them. It may throw io::Error bad_data.
using Run = void (*)(std::string_view bytes);

struct Target {
  const char* name;
  Run run;
};

/// All that are linked, in no order.
std::vector<Target>& targets();

/// Runs a target as it must behave: it ends, or throws io::Error bad_data with a message that is not pages long.
/// Anything else leaves as an exception. Returns the message, nothing where the bytes were accepted.
std::optional<std::string> run_target(const Target& target, std::string_view bytes);

/// Aborts where something that a target promises does not hold.
void require(bool held, const char* what);

/// What read() gives of bytes that were written here. Aborts where it refuses them.
template <class Read>
auto read_again(const Read& read) {
  try {
    return read();
  } catch (const std::exception& error) {
    require(false, error.what());
    throw;
  }
}

struct Registration {
  Registration(const char* name, Run run) { targets().push_back({name, run}); }
};

}  // namespace chainrule::fuzz

/// FUZZ_TARGET(gguf) { parse(bytes); }
#define FUZZ_TARGET(name)                                                         \
  static void run_##name(std::string_view bytes);                                 \
  static const chainrule::fuzz::Registration register_##name(#name, &run_##name); \
  static void run_##name(std::string_view bytes)
