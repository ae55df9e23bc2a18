#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "pipeline/run/configuration.h"
#include "pipeline/watch/curves/metrics_line.h"
#include "pipeline/watch/curves/run_events.h"
#include "pipeline/watch/curves/step_tokens.h"
#include "pipeline/watch/curves/thinned_series.h"

namespace chainrule::pipeline::watch::curves {

/// A run has at most so many sources of validation that are shown; the others are counted.
inline constexpr std::size_t kMostSources = 24;

/// What a run's files say of all of its steps.
struct RunHistory {
  std::filesystem::path folder;
  run::Configuration configuration;       ///< config.cfg; empty where a run has none yet
  std::optional<std::int64_t> last_step;  ///< that it is to take
  std::optional<MetricsLine> last;        ///< its last line
  std::string environment;                ///< of its last start: ranks, threads, processors; may be empty
  RunEvents events;

  ThinnedSeries loss, learning_rate, gradient_norm, tokens_per_second, peak_fraction, joules_per_token, validation_loss;
  std::map<std::string, ThinnedSeries> validation;  ///< by source
  std::size_t sources_left_out = 0;

  StepTokens tokens;

  std::int64_t step() const { return last ? last->step : 0; }
};

/// Reads config.cfg, environment.json and metrics.jsonl, the last line by line: memory does not grow with the run. A
/// step that was taken several times appears once, as it was taken last. A last line that was cut short is passed over.
/// Throws io::Error missing_input where the folder holds no run, bad_data naming file and line, input_output.
RunHistory read_run(const std::filesystem::path& folder);

}  // namespace chainrule::pipeline::watch::curves
