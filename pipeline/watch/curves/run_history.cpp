#include "pipeline/watch/curves/run_history.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "io/error.h"
#include "io/files/file_end.h"
#include "io/files/line_reader.h"
#include "io/files/presence.h"
#include "io/quote.h"
#include "pipeline/run/run_directory.h"
#include "pipeline/watch/curves/kept_steps.h"
#include "pipeline/watch/curves/run_starts.h"

namespace chainrule::pipeline::watch::curves {
namespace {

constexpr const char* kLogName = "metrics.jsonl";
constexpr std::size_t kMostConfigurationBytes = std::size_t{1} << 20;

std::optional<std::int64_t> steps_of(const run::Configuration& configuration) {
  const auto text = run::value_of(configuration, "steps");
  std::int64_t steps = 0;
  if (!text) return std::nullopt;
  const char* const end = text->data() + text->size();
  const auto [stop, failure] = std::from_chars(text->data(), end, steps);
  if (failure != std::errc() || stop != end || steps < 1) return std::nullopt;
  return steps;
}

void add_validation(const MetricsLine& line, RunHistory& history) {
  if (line.validation_loss_nats) history.validation_loss.add(line.step, *line.validation_loss_nats);
  for (const auto& [source, nats] : line.validation_nats) {
    auto found = history.validation.find(source);
    if (found == history.validation.end() && history.validation.size() < kMostSources) {
      found = history.validation.emplace(source, ThinnedSeries()).first;
    }
    if (found != history.validation.end()) found->second.add(line.step, nats);
  }
  const std::size_t sources = line.validation_nats.size();
  if (sources > kMostSources) history.sources_left_out = sources - kMostSources;
}

void add_events(const MetricsLine& line, RunEvents& events) {
  const auto add = [&](EventKind kind, std::string text) {
    events.add({kind, line.step, {}, line.elapsed_seconds, std::move(text)});
  };
  if (!line.rolled_back.empty()) add(EventKind::rollback, line.rolled_back);
  if (!line.skipped.empty()) add(EventKind::skipped, line.skipped);
  if (!line.slowest.empty()) add(EventKind::slow_rank, line.slowest);
  if (line.validation_loss_nats)
    add(EventKind::validation, fmt::format("{:.4f} nats a token", *line.validation_loss_nats));
  if (line.checkpoint) add(EventKind::checkpoint, "");
  if (line.stopped) add(EventKind::stop, "stopped early, as asked");
}

void add_line(const MetricsLine& line, RunHistory& history) {
  history.tokens.add(line.step, line.tokens);
  history.loss.add(line.step, line.loss_nats);
  // A step that was passed over has neither.
  if (line.skipped.empty()) {
    history.learning_rate.add(line.step, line.learning_rate);
    history.gradient_norm.add(line.step, line.gradient_norm);
  }
  history.tokens_per_second.add(line.step, line.tokens_per_second);
  if (line.peak_fraction) history.peak_fraction.add(line.step, *line.peak_fraction);
  if (line.joules_per_token) history.joules_per_token.add(line.step, *line.joules_per_token);
  add_validation(line, history);
  add_events(line, history.events);
}

/// Calls take with each whole line of the log and its number.
template <typename Take>
void read_lines(const std::filesystem::path& file, const Take& take) {
  io::files::LineReader reader(file);
  const std::string path = io::path_in_quotes(file);
  while (const auto text = reader.next()) {
    take(parse_metrics_line(*text, fmt::format("{}, line {}", path, reader.line_number())), reader.line_number());
  }
}

/// What was known before the log is read, and what it says.
RunHistory with_log(const RunHistory& before, const std::filesystem::path& file) {
  RunHistory history = before;
  KeptSteps kept;
  bool all_hold = true;
  read_lines(file, [&](MetricsLine line, std::int64_t number) {
    all_hold = !kept.add(number, line.step) && all_hold;
    add_line(line, history);
    history.last = std::move(line);
  });
  if (all_hold) return history;
  // Rare, as a run that goes on cuts off what it will take again: the curves are made anew of the lines that hold.
  history = before;
  read_lines(file, [&](MetricsLine line, std::int64_t number) {
    if (!kept.holds(number, line.step)) return;
    add_line(line, history);
    history.last = std::move(line);
  });
  return history;
}

}  // namespace

RunHistory read_run(const std::filesystem::path& folder) {
  const std::filesystem::path configuration = folder / run::kConfigurationName;
  const std::filesystem::path log = folder / kLogName;
  const io::files::Presence presence = io::files::presence_of(folder);
  if (presence != io::files::Presence::folder) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("{} {}", io::path_in_quotes(folder),
                                presence == io::files::Presence::absent ? "is not there" : "is no folder"));
  }
  const bool configured = io::files::is_there(configuration);
  const bool logged = io::files::is_there(log);
  if (!configured && !logged) {
    throw io::Error(io::ErrorKind::missing_input,
                    fmt::format("{} is no run directory: there is neither {} nor {} in it", io::path_in_quotes(folder),
                                run::kConfigurationName, kLogName));
  }
  RunHistory history;
  history.folder = folder;
  if (configured) {
    history.configuration = run::parse_configuration(io::files::read_small_file(configuration, kMostConfigurationBytes),
                                                     configuration.string());
  }
  history.last_step = steps_of(history.configuration);
  add_starts(folder / run::kEnvironmentName, history);
  if (logged) history = with_log(history, log);
  if (history.last && history.last->step == history.last_step) {
    history.events.add({EventKind::end, history.last->step, {}, history.last->elapsed_seconds, "all steps are taken"});
  }
  return history;
}

}  // namespace chainrule::pipeline::watch::curves
