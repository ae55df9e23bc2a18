#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace chainrule::pipeline::watch {

/// How many folders below the one that is named runs may lie.
inline constexpr int kDeepestRun = 3;

/// A run, or a place that cannot be seen and may be one.
struct RunPlace {
  std::filesystem::path folder;
  std::string trouble;  ///< why it cannot be seen; else empty
};

/// The runs in a folder, itself among them, in order of names: folders with config.cfg, and those that jobs/submit.sh
/// was told to train (RUN.job), whether they are there yet or not. Links are followed, and a run that several names
/// lead to is found once; what lies inside runs and hidden folders is passed over. Throws io::Error missing_input where
/// the folder is not there or cannot be listed.
std::vector<RunPlace> find_runs(const std::filesystem::path& named);

}  // namespace chainrule::pipeline::watch
