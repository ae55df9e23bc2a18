#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace chainrule::io::tokens {

inline constexpr const char* kIndexFile = "index.json";

/// The folders of the two data sets that `pack --held-out` writes into its output.
inline constexpr const char* kTrainFolder = "train";
inline constexpr const char* kHeldOutFolder = "held-out";

/// Which of the two are there.
struct DataSetPair {
  std::optional<std::filesystem::path> train;
  std::optional<std::filesystem::path> held_out;

  bool whole() const { return train && held_out; }
};

/// The pair in folder; nothing of it where folder is a data set itself. Looks for indices only.
DataSetPair find_pair(const std::filesystem::path& folder);

/// "'data' holds two data sets: name 'data/train' or 'data/held-out'", said where one is asked for.
std::string name_one_of_pair(const std::filesystem::path& folder);

}  // namespace chainrule::io::tokens
