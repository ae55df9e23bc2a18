#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

namespace chainrule::pipeline::watch {

/// What the last lines of a run's metrics.jsonl say.
struct MetricsEnd {
  std::int64_t step = 0;
  double loss_nats = 0;                     ///< not a number where it was not finite
  std::optional<double> tokens_per_second;  ///< over the last steps, ten at most
};

/// Empty where there is no such file or no whole line in it. A line that is still being written is passed over, and
/// only the end of the file is read: that of a long run is large. Throws io::Error (bad_data, missing_input,
/// input_output).
std::optional<MetricsEnd> read_metrics_end(const std::filesystem::path& path);

}  // namespace chainrule::pipeline::watch
