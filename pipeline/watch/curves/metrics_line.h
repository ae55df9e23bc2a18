#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule::pipeline::watch::curves {

/// A line of metrics.jsonl. Numbers that were not finite (null) are not a number here.
struct MetricsLine {
  std::int64_t step = 0;    ///< at least 1
  std::int64_t tokens = 0;  ///< of the run up to it
  double loss_nats = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double tokens_per_second = 0;
  double elapsed_seconds = 0;
  std::optional<double> validation_loss_nats;
  std::vector<std::pair<std::string, double>> validation_nats;  ///< by source, where the line has them
  std::optional<double> peak_fraction;                          ///< of the machine's multiply-add peak
  std::optional<double> joules_per_token;                       ///< since the last line that has them
  std::string slowest;      ///< the rank that keeps the others waiting; empty: none does
  std::string skipped;      ///< why the step was passed over; empty where it was taken
  std::string rolled_back;  ///< what the run went back from, in its first step since
  bool checkpoint = false;  ///< one was about to be written
  bool stopped = false;     ///< the run stopped early after it
};

/// Reads one. name says in messages which: "'run/metrics.jsonl', line 7". Throws io::Error bad_data for what is no JSON
/// object or lacks what every line has; members that are not known are passed over.
MetricsLine parse_metrics_line(std::string_view text, const std::string& name);

}  // namespace chainrule::pipeline::watch::curves
