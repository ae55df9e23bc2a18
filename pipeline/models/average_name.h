#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace chainrule::pipeline::models {

/// A path that names an average of a run's weights instead of a file:
///   RUN/average, CHECKPOINT/average  the one that the checkpoint keeps (pretrain --average)
///   RUN/last:K                       the mean of the K newest checkpoints (Kaddour 2022)
///   RUN/mean:STEP,STEP...            the mean of the checkpoints of these steps
struct AverageName {
  enum class Kind { kept, last, mean };
  Kind kind = Kind::kept;
  std::filesystem::path of;         ///< the run or checkpoint
  std::size_t count = 0;            ///< K
  std::vector<std::int64_t> steps;  ///< ascending
};

/// The most checkpoints of a mean: their files are open together.
inline constexpr std::size_t kMostAveraged = 100;

/// Empty where path names no average, or where something lies there. Throws failure::Error (usage) where K or the steps
/// cannot be.
std::optional<AverageName> parse_average_name(const std::filesystem::path& path);

/// RUN/mean:STEP,STEP...
std::filesystem::path mean_path(const std::filesystem::path& run, const std::vector<std::int64_t>& steps);

/// CHECKPOINT/average
std::filesystem::path kept_average_path(const std::filesystem::path& checkpoint);

}  // namespace chainrule::pipeline::models
