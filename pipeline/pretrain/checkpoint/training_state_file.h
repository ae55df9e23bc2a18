#pragma once
#include <filesystem>
#include <string_view>

namespace chainrule::pipeline::pretrain::checkpoint {

struct TrainingState;

inline constexpr const char* kStateName = "state.json";
/// Begin the names of the files that hold the optimizer's state.
inline constexpr std::string_view kOptimizerFiles = "optimizer-";
/// Ends the name of a checkpoint that is being written.
inline constexpr const char* kPartial = ".partial";

/// Throws io::Error.
void write_training_state(const std::filesystem::path& path, const TrainingState& state);

}  // namespace chainrule::pipeline::pretrain::checkpoint
