#pragma once
#include <string_view>

namespace chainrule::pipeline::pretrain::checkpoint {

/// Begin the names of the files that hold the optimizer's state.
inline constexpr std::string_view kOptimizerFiles = "optimizer-";
/// Ends the name of a checkpoint that is being written.
inline constexpr const char* kPartial = ".partial";

}  // namespace chainrule::pipeline::pretrain::checkpoint
