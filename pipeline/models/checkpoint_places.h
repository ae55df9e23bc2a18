#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace chainrule::pipeline::models {

/// One checkpoint folder of a run directory; not checked.
struct CheckpointPlace {
  std::int64_t step = 0;
  std::filesystem::path folder;
};

/// run/checkpoints/step-00001000
std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t step);

/// The folders so named in a run directory, the highest step first; folders not yet renamed into place are left out.
/// Throws io::Error missing_input where the run's checkpoints cannot be seen.
std::vector<CheckpointPlace> list_checkpoints(const std::filesystem::path& run);

}  // namespace chainrule::pipeline::models
