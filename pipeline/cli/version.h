#pragma once
#include <string>

namespace chainrule::pipeline::cli {

/// "chainrule 0.1.0 (g++ 12.2.0, Release...)": what --version prints and environment.json repeats.
std::string version_text();

}  // namespace chainrule::pipeline::cli
