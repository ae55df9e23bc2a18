#pragma once
#include <filesystem>

namespace chainrule::pipeline::pretrain::checkpoint {

struct TrainingState;

inline constexpr const char* kStateName = "state.json";
/// Ends the name of a checkpoint that is being written.
inline constexpr const char* kPartial = ".partial";

/// Throws io::Error.
void write_training_state(const std::filesystem::path& path, const TrainingState& state);

}  // namespace chainrule::pipeline::pretrain::checkpoint
