#include "pipeline/cli/version.h"

#include <fmt/format.h>

namespace chainrule::pipeline::cli {

std::string version_text() { return fmt::format("chainrule {} (compiler {})", CHAINRULE_VERSION, __VERSION__); }

}  // namespace chainrule::pipeline::cli
