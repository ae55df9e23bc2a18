// libFuzzer's way in. CHAINRULE_FUZZ_TARGET names the target of this process.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/target.h"

namespace {

const chainrule::fuzz::Target& chosen() {
  const char* name = std::getenv("CHAINRULE_FUZZ_TARGET");
  for (const auto& target : chainrule::fuzz::targets()) {
    if (name != nullptr && std::string_view(target.name) == name) return target;
  }
  std::fprintf(stderr, "CHAINRULE_FUZZ_TARGET names no target; there are:\n");
  for (const auto& target : chainrule::fuzz::targets()) std::fprintf(stderr, "  %s\n", target.name);
  std::exit(64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const chainrule::fuzz::Target& target = chosen();
  chainrule::fuzz::run_target(target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
